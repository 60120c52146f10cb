/**
 * One written form of an address: IPv4 in IPv6 clothes is IPv4, and a zone says nothing to anybody else.
 */

/** The address as people write it; empty when the connection is gone already. */
export function plainIp(address: string | undefined): string {
  if (address === undefined) return '';
  const bare = address.split('%', 1)[0]!;
  return bare.startsWith('::ffff:') && bare.includes('.') ? bare.slice('::ffff:'.length) : bare;
}
