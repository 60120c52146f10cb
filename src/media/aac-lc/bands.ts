/**
 * Scale factor bands and the reach of temporal noise shaping, by sampling rate (ISO/IEC 14496-3, 4.5.4 and 4.6.9.4).
 */

export const FRAME = 1024;
export const SHORT = 128;
/** Windows of a frame that is cut into short ones. */
export const SHORT_WINDOWS = 8;
/** Bands of a long window, at most. */
export const MAX_BANDS = 51;

export interface Bands {
  /** First line of each band, and where the last one ends. */
  readonly long: Uint16Array;
  readonly short: Uint16Array;
  /** Noise shaping ends at this band. */
  readonly shapedLong: number;
  readonly shapedShort: number;
}

/** Widths in lines, each with how often it comes in a row. */
const LONG_96 = '4x14 8x5 12x5 16x2 24 28 36 44 64x11';
const LONG_64 = '4x14 8x4 12x3 16x3 20 24x2 28 36 40x18';
const LONG_48 = '4x10 8x7 12x4 16x2 20x2 24x2 28x2 32x19 96';
const LONG_32 = '4x10 8x7 12x4 16x2 20x2 24x2 28x2 32x22';
const LONG_24 = '4x11 8x10 12x4 16x3 20x2 24x2 28x2 32 36x2 40 44 48 52x2 64x5';
const LONG_16 = '8x11 12x9 16x4 20x3 24x2 28x2 32 36 40x2 44 48 52 56 60 64x3';
const LONG_8 = '12x13 16x7 20x4 24x3 28x2 32 36x2 40 44 48 52 56 60 64 80';
const SHORT_96 = '4x6 8x3 16 28 36';
const SHORT_48 = '4x5 8x3 12x3 16x3';
const SHORT_24 = '4x7 8x3 12x2 16x2 20';
const SHORT_16 = '4x8 8x2 12x2 16 20x2';
const SHORT_8 = '4x7 8x4 12 16 20x2';

/** By sampling rate in Hz, 96,000 first: rates between two of these use the tables of the lower one's class (table 4.82). */
const CLASSES: readonly (readonly [
  rate: number,
  long: string,
  short: string,
  shapedLong: number,
  shapedShort: number,
])[] = [
  [92_017, LONG_96, SHORT_96, 31, 9],
  [75_132, LONG_96, SHORT_96, 31, 9],
  [55_426, LONG_64, SHORT_96, 34, 10],
  [46_009, LONG_48, SHORT_48, 40, 14],
  [37_566, LONG_48, SHORT_48, 42, 14],
  [27_713, LONG_32, SHORT_48, 51, 14],
  [23_004, LONG_24, SHORT_24, 46, 14],
  [18_783, LONG_24, SHORT_24, 46, 14],
  [13_856, LONG_16, SHORT_16, 42, 14],
  [11_502, LONG_16, SHORT_16, 42, 14],
  [9391, LONG_16, SHORT_16, 42, 14],
  [0, LONG_8, SHORT_8, 39, 14],
];

const made = new Map<number, Bands>();

/** The bands at a sampling rate in Hz. */
export function bandsAt(sampleRate: number): Bands {
  const [rate, long, short, shapedLong, shapedShort] = CLASSES.find(([from]) => sampleRate >= from)!;
  let bands = made.get(rate);
  if (bands === undefined) {
    bands = { long: offsets(long), short: offsets(short), shapedLong, shapedShort };
    made.set(rate, bands);
  }
  return bands;
}

function offsets(widths: string): Uint16Array {
  const list = [0];
  for (const run of widths.split(' ')) {
    const [width, times = '1'] = run.split('x');
    for (let i = Number(times); i > 0; i--) list.push(list.at(-1)! + Number(width));
  }
  return Uint16Array.from(list);
}
