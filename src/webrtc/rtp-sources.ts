/**
 * Whose packet it is: by SSRC where the description declared it or an earlier packet showed it, by the identifiers in its header
 * (RFC 8852, RFC 9143), and by payload type for clients that send neither.
 */
import type { Millis } from '../base/clock.ts';
import type { Negotiated, RtpCodec, RtpMedia } from './negotiated.ts';
import { extensionOf, type RtpHeader } from './rtp-header.ts';
import type { RtpReceiver } from './rtp-receiver.ts';

/** One form of one medium: a simulcast layer, or all there is. */
export interface Layer {
  readonly media: RtpMedia;
  readonly rid: string | undefined;
  receiver: RtpReceiver | undefined;
  /** The source of its retransmissions. */
  repairs: number | undefined;
}

export interface Route {
  readonly receiver: RtpReceiver;
  /** What the packet repeats; undefined for an original. */
  readonly repeats: RtpCodec | undefined;
}

export interface SourceEvents {
  /** A source appeared in `layer`; `codec`: of its first packet. */
  came(layer: Layer, ssrc: number, codec: RtpCodec): RtpReceiver;
  left(receiver: RtpReceiver): void;
}

interface Format {
  readonly media: RtpMedia;
  readonly codec: RtpCodec;
  readonly repeats: boolean;
}

/** Of one medium. With their retransmissions there are at most 16 sources. */
const MAX_LAYERS = 4;
/** A source that says nothing for so long may be replaced by one that nobody announced. */
const SILENT: Millis = 2_000;

export class RtpSources {
  readonly layers: readonly Layer[];
  readonly #events: SourceEvents;
  readonly #formats: ReadonlyMap<number, Format>;
  readonly #declared: ReadonlyMap<number, Layer>;
  readonly #bySsrc = new Map<number, Layer>();

  constructor(negotiated: Negotiated, events: SourceEvents) {
    this.#events = events;
    const media = [negotiated.audio, negotiated.video].filter((each) => each !== undefined);
    this.#formats = new Map(media.flatMap(formatsOf));
    this.layers = media.flatMap(layersOf);
    this.#declared = new Map(media.flatMap((each) => declaredBy(each, this.layers)));
  }

  /** Undefined for packets that belong to nothing agreed upon. */
  route(packet: Buffer, header: RtpHeader, now: Millis): Route | undefined {
    const format = this.#formats.get(header.payloadType);
    const layer = this.#bySsrc.get(header.ssrc);
    if (layer === undefined) return format && this.#admit(packet, header, format, now);
    // payload types that we know nothing of may share the numbers of a source that we know
    if (layer.receiver === undefined || (format !== undefined && format.media !== layer.media)) return undefined;
    const repeats = format?.repeats === true ? format.codec : undefined;
    const { ssrc, codec } = layer.receiver;
    if ((repeats === undefined) !== (header.ssrc === ssrc)) return undefined;
    // its timestamps count something else from here on (RFC 7160): to all who measure it is another source
    if (format !== undefined && format.codec.clockRate !== codec.clockRate) return this.#settle(layer, header, format);
    return { receiver: layer.receiver, repeats };
  }

  receiverOf(ssrc: number): RtpReceiver | undefined {
    const receiver = this.#bySsrc.get(ssrc)?.receiver;
    return receiver?.ssrc === ssrc ? receiver : undefined;
  }

  /** The source said goodbye; another may come in its place. */
  goodbye(ssrc: number): void {
    const layer = this.#bySsrc.get(ssrc);
    if (layer?.receiver?.ssrc === ssrc) this.#vacate(layer);
  }

  #admit(packet: Buffer, header: RtpHeader, format: Format, now: Millis): Route | undefined {
    const { ssrc } = header;
    const layer = this.#declared.get(ssrc) ?? this.#identified(packet, format, now);
    if (layer === undefined || layer.media !== format.media) return undefined;
    if (format.repeats) {
      if (layer.repairs !== undefined) this.#bySsrc.delete(layer.repairs);
      layer.repairs = ssrc;
      this.#bySsrc.set(ssrc, layer);
      return layer.receiver && { receiver: layer.receiver, repeats: format.codec };
    }
    return this.#settle(layer, header, format);
  }

  /** Makes the sender of an original the source of `layer`. */
  #settle(layer: Layer, header: RtpHeader, { codec }: Format): Route | undefined {
    // probes of bandwidth are no source
    if (header.payloadEnd === header.payloadStart) return undefined;
    this.#vacate(layer);
    layer.receiver = this.#events.came(layer, header.ssrc, codec);
    this.#bySsrc.set(header.ssrc, layer);
    return { receiver: layer.receiver, repeats: undefined };
  }

  /** By the identifiers of layer and medium, else the only layer that it can be. */
  #identified(packet: Buffer, format: Format, now: Millis): Layer | undefined {
    const { extensions } = format.media;
    const mid = textOf(packet, extensions.mid);
    if (mid !== undefined && mid !== format.media.mid) return undefined;
    const layers = this.layers.filter((layer) => layer.media === format.media);
    const rid = textOf(packet, format.repeats ? extensions.repairedRid : extensions.rid);
    const named = format.media.rids.length > 0;
    const candidates = named ? layers.filter((layer) => layer.rid === rid) : layers;
    if (format.repeats) return candidates.length === 1 ? candidates[0] : undefined;
    return candidates.find(({ receiver }) => receiver === undefined || receiver.silentFor(now) > SILENT);
  }

  #vacate(layer: Layer): void {
    const { receiver } = layer;
    if (receiver === undefined) return;
    this.#bySsrc.delete(receiver.ssrc);
    layer.receiver = undefined;
    this.#events.left(receiver);
  }
}

function formatsOf(media: RtpMedia): (readonly [number, Format])[] {
  return media.codecs.flatMap((codec) => {
    const own = [codec.payloadType, { media, codec, repeats: false }] as const;
    return codec.rtx === undefined ? [own] : [own, [codec.rtx, { media, codec, repeats: true }] as const];
  });
}

/** One for each name; without names, one for each source declared. */
function layersOf(media: RtpMedia): Layer[] {
  const count = Math.max(1, media.rids.length > 0 ? media.rids.length : media.sources.length);
  return Array.from({ length: Math.min(MAX_LAYERS, count) }, (_, index) => ({
    media,
    rid: media.rids[index],
    receiver: undefined,
    repairs: undefined,
  }));
}

function declaredBy(media: RtpMedia, layers: readonly Layer[]): (readonly [number, Layer])[] {
  if (media.rids.length > 0) return [];
  const own = layers.filter((layer) => layer.media === media);
  return own.flatMap((layer, index) => {
    const source = media.sources[index];
    if (source === undefined) return [];
    const main = [source.ssrc, layer] as const;
    return source.rtx === undefined ? [main] : [main, [source.rtx, layer] as const];
  });
}

function textOf(packet: Buffer, id: number | undefined): string | undefined {
  return id === undefined ? undefined : extensionOf(packet, id)?.toString('latin1');
}
