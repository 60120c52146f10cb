/** How long a packet of Opus sounds, microseconds (RFC 6716 section 3.1, table 2). */
export function opusDuration(packet: Buffer): number {
  const [toc = 0, count = 0] = packet;
  const code = toc & 3;
  return (code === 0 ? 1 : code < 3 ? 2 : count & 63) * frameDuration(toc >> 3);
}

/** SILK up to 60 ms, hybrid 10 or 20 ms, CELT down to 2.5 ms. */
function frameDuration(config: number): number {
  if (config < 12) return (config & 3) === 3 ? 60_000 : 10_000 << (config & 3);
  if (config < 16) return 10_000 << (config & 1);
  return 2500 << (config & 3);
}
