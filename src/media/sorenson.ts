/**
 * Sorenson H.263, FLV's first video codec: the size from the picture header (FLV 10.1, annex E.4.3.2).
 */
import { BitReader } from './bits.ts';
import type { PictureSize } from './vpx.ts';

const SIZES: readonly (readonly [number, number] | undefined)[] = [
  undefined,
  undefined,
  [352, 288],
  [176, 144],
  [128, 96],
  [320, 240],
  [160, 120],
  undefined,
];

export function readSorensonSize(data: Buffer): PictureSize | undefined {
  const reader = new BitReader(data);
  if (reader.bits(17) !== 1) return undefined;
  reader.skip(13);
  const code = reader.bits(3);
  const bits = code === 0 ? 8 : 16;
  const [width, height] = code < 2 ? [reader.bits(bits), reader.bits(bits)] : (SIZES[code] ?? [0, 0]);
  return reader.exhausted || width === 0 || height === 0 ? undefined : { width, height };
}
