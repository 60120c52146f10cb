/**
 * The frame header of MPEG audio: ISO/IEC 11172-3, 2.4.2.3, and 13818-3 for the low rates.
 */

export interface Mp3Header {
  readonly layer: 1 | 2 | 3;
  /** Hz. */
  readonly sampleRate: number;
  readonly channels: 1 | 2;
}

const RATES = [44_100, 48_000, 32_000] as const;

/** Reads the header that `data` begins with; undefined when that is none. */
export function readMp3Header(data: Buffer): Mp3Header | undefined {
  if (data.length < 4) return undefined;
  const bits = data.readUInt32BE(0);
  if (bits >>> 21 !== 0x7ff) return undefined;
  const version = (bits >>> 19) & 3; // 3: MPEG-1, 2: MPEG-2, 0: MPEG-2.5
  const layer = (bits >>> 17) & 3;
  const rate = RATES[(bits >>> 10) & 3];
  if (version === 1 || layer === 0 || rate === undefined) return undefined;
  return {
    layer: (4 - layer) as 1 | 2 | 3,
    sampleRate: version === 3 ? rate : version === 2 ? rate / 2 : rate / 4,
    channels: ((bits >>> 6) & 3) === 3 ? 1 : 2,
  };
}
