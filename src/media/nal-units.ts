/**
 * Length-prefixed NAL units, the form of H.264 and HEVC in FLV and MP4 (ISO/IEC 14496-15, 5.3.3).
 */

/** Views of the NAL units in `data`, in order. Empty ones are skipped; a cut-off one at the end is left out. */
export function* nalUnits(data: Buffer, lengthSize: number): Generator<Buffer, void, undefined> {
  let at = 0;
  while (at + lengthSize <= data.length) {
    const start = at + lengthSize;
    const end = start + data.readUIntBE(at, lengthSize);
    if (end > data.length) return;
    if (end > start) yield data.subarray(start, end);
    at = end;
  }
}

/** Parameter sets behind 16-bit lengths from `at` on, and where they end. Stops at a cut-off one. */
export function readParameterSets(record: Buffer, at: number, count: number): { sets: Buffer[]; end: number } {
  const sets: Buffer[] = [];
  let end = at;
  while (sets.length < count && end + 2 <= record.length) {
    const next = end + 2 + record.readUInt16BE(end);
    if (next > record.length) return { sets, end: record.length };
    sets.push(record.subarray(end + 2, next));
    end = next;
  }
  return { sets, end };
}
