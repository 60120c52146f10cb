/**
 * A frame as the chunks that every RTMP player receives. Written once, whatever the audience: a frame from an RTMP publisher lies in
 * that form already; any other is written on first demand.
 */
import type { Frame } from '../media/frame.ts';
import { messageSize, writeMessageInto } from './chunk-writer.ts';
import { flvFromFrame } from './flv.ts';
import { type FlvMessage, isFlvFrame } from './flv-frame.ts';
import { chunkStreamOf, SHARED_MESSAGE_STREAM, type Slab, type Wire } from './slab.ts';

const NOTHING: Wire = { block: Buffer.alloc(0), start: 0, end: 0 };

const wires = new WeakMap<Frame, Wire>();

/** The wire form of `frame`; written into `slab` when nobody did so before. Empty when RTMP has no form for it. */
export function wireForm(frame: Frame, slab: Slab): Wire {
  let wire = isFlvFrame(frame) ? frame.wire : undefined;
  wire ??= wires.get(frame);
  if (wire === undefined) {
    wire = write(frame, slab);
    wires.set(frame, wire);
  }
  return wire;
}

function write(frame: Frame, slab: Slab): Wire {
  const message = flvFromFrame(frame);
  if (message === undefined) return NOTHING;
  const timestamp = message.millis % 2 ** 32;
  // a configuration outlives the frames around it and must not keep their block alive
  if (frame.role === 'config') return apart(message, timestamp, slab.chunkSize);
  return slab.write(message.typeId, timestamp, message.body);
}

function apart({ typeId, body }: FlvMessage, timestamp: number, chunkSize: number): Wire {
  const csid = chunkStreamOf(typeId);
  const block = Buffer.allocUnsafeSlow(messageSize(body.length, timestamp, chunkSize, csid));
  writeMessageInto(block, 0, { typeId, streamId: SHARED_MESSAGE_STREAM, timestamp, body }, chunkSize, csid);
  return { block, start: 0, end: block.length };
}
