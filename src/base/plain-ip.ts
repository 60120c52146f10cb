/**
 * One written form of an address: IPv4 in IPv6 clothes is IPv4, and a zone says nothing to anybody else.
 */

/** Groups of an IPv6 address, and those that name the network (RFC 4291 section 2.5.4). */
const GROUPS = 8;
const NETWORK_GROUPS = 4;

/** The address as people write it; empty when the connection is gone already. */
export function plainIp(address: string | undefined): string {
  if (address === undefined) return '';
  const bare = address.split('%', 1)[0]!;
  return bare.startsWith('::ffff:') && bare.includes('.') ? bare.slice('::ffff:'.length) : bare;
}

/**
 * Who is meant by a limit for one address: an IPv4 address itself, of an IPv6 address its network of 64 bits (`2001:db8:0:1::/64`),
 * since each host has all of one to choose from.
 *
 * @param ip in the form of `plainIp`
 */
export function networkOf(ip: string): string {
  if (!ip.includes(':')) return ip;
  const [head = '', tail] = ip.split('::', 2);
  const groups = groupsOf(head);
  if (tail !== undefined) {
    const last = groupsOf(tail);
    // an IPv4 address at the end stands for two groups
    const written = groups.length + last.length + (tail.includes('.') ? 1 : 0);
    groups.push(...Array<string>(Math.max(0, GROUPS - written)).fill('0'), ...last);
  }
  return `${groups.slice(0, NETWORK_GROUPS).join(':')}::/64`;
}

function groupsOf(text: string): string[] {
  return text === '' ? [] : text.split(':');
}
