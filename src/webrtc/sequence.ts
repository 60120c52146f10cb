/**
 * Sequence numbers of 16 bits (RFC 3550 section 5.1; transport-wide ones too) as numbers that go on rising across the wrap.
 */

/** Of all that `sequence` could mean, the one nearest to `near`. */
export function extendSequence(sequence: number, near: number): number {
  return near + (((sequence - near) << 16) >> 16);
}
