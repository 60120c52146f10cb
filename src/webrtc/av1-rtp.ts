/**
 * AV1 as RTP payloads (RTP Payload Format For AV1, Alliance for Open Media, version 1.0).
 */

import { findSequenceHeader } from '../media/av1.ts';
import { type Frame, oncePerFrame } from '../media/frame.ts';
import { leb128, OBU, OBU_HAS_SIZE, obus } from '../media/obu.ts';
import { AV1, Av1Reader, MAX_COUNTED } from './av1-reader.ts';
import { PictureDepacketizer } from './picture-depacketizer.ts';
import type { Depacketizer, RtpPayload } from './rtp.ts';

/** Longest length that is written in front of an element in a packet. */
const LENGTH_BYTES = 2;
/** A smaller rest of a packet is not worth a fragment. */
const MIN_FRAGMENT = 16;

/** What an element is written of: the header of an OBU, unless it continues one, and a piece of its payload. */
interface Element {
  readonly parts: readonly Buffer[];
  readonly size: number;
}

const SEQUENCE_OBU = Buffer.of(OBU.sequenceHeader << 3);

const sequenceOf = oncePerFrame((config: Frame): { readonly header: Buffer | undefined } => ({
  header: findSequenceHeader(config.data.subarray(4)),
}));

/** One temporal unit. A key unit without sequence header gets that of its configuration in front. */
export function packetizeAv1(frame: Frame, maxSize: number): readonly RtpPayload[] {
  const units: Element[] = [];
  let sequence = false;
  for (const { type, header, payload } of obus(frame.data)) {
    // delimiters and tile lists must not be sent, padding need not
    if (type === OBU.temporalDelimiter || type === OBU.tileList || type === OBU.padding) continue;
    if (type === OBU.sequenceHeader) sequence = true;
    units.push(elementOf(withoutSize(header), payload));
  }
  if (units.length === 0) return [];
  if (frame.role === 'key' && !sequence) {
    const header = frame.config && sequenceOf(frame.config).header;
    if (header !== undefined) {
      units.unshift(elementOf(SEQUENCE_OBU, header));
      sequence = true;
    }
  }
  return packPayloads(units, maxSize, frame.role === 'key' && sequence);
}

function elementOf(header: Buffer, payload: Buffer): Element {
  return { parts: [header, payload], size: header.length + payload.length };
}

function withoutSize(header: Buffer): Buffer {
  const copy = Buffer.from(header);
  copy[0]! &= ~OBU_HAS_SIZE;
  return copy;
}

/** Fills one packet after the other; only the last element of a packet goes on in the next. */
function packPayloads(units: readonly Element[], maxSize: number, isNew: boolean): readonly RtpPayload[] {
  const payloads: RtpPayload[] = [];
  let elements: Element[] = [];
  let room = maxSize - 1;
  let continues = false;
  const flush = (goesOn: boolean): void => {
    const flags = (continues ? AV1.continues : 0) | (goesOn ? AV1.goesOn : 0);
    payloads.push(writePayload(flags | (isNew && payloads.length === 0 ? AV1.newSequence : 0), elements));
    elements = [];
    room = maxSize - 1;
    continues = goesOn;
  };
  for (const unit of units) {
    let left = unit;
    while (left.size + LENGTH_BYTES > room) {
      if (room - LENGTH_BYTES < MIN_FRAGMENT) {
        flush(false);
      } else {
        const [head, rest] = splitElement(left, room - LENGTH_BYTES);
        elements.push(head);
        left = rest;
        flush(true);
      }
    }
    elements.push(left);
    room -= left.size + LENGTH_BYTES;
  }
  flush(false);
  return payloads.map((payload, index) => ({ ...payload, marker: index === payloads.length - 1 }));
}

/** `size` is at least the length of an OBU's header. */
function splitElement({ parts, size }: Element, first: number): readonly [Element, Element] {
  const payload = parts.at(-1)!;
  const cut = first - (size - payload.length);
  return [
    { parts: [...parts.slice(0, -1), payload.subarray(0, cut)], size: first },
    { parts: [payload.subarray(cut)], size: size - first },
  ];
}

function writePayload(flags: number, elements: readonly Element[]): RtpPayload {
  const counted = elements.length <= MAX_COUNTED;
  const parts: Buffer[] = [Buffer.of(flags | (counted ? elements.length << AV1.countShift : 0))];
  let size = 1;
  elements.forEach((element, index) => {
    if (!counted || index < elements.length - 1) {
      const length = leb128(element.size);
      parts.push(length);
      size += length.length;
    }
    parts.push(...element.parts);
    size += element.size;
  });
  return { parts, size, marker: false };
}

export function av1Depacketizer(): Depacketizer {
  return new PictureDepacketizer(new Av1Reader());
}
