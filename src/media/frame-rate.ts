/**
 * Timing fields of parameter sets as a frame rate.
 */

/** Frames a second, to three places; undefined when that is no frame rate. */
export function frameRate(ticks: number, ticksPerFrame: number): number | undefined {
  const fps = Math.round((ticks / ticksPerFrame) * 1000) / 1000;
  return fps > 0 && fps <= 1000 ? fps : undefined;
}
