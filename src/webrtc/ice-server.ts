/**
 * STUN and TURN servers as clients are told of them: `Link: <turn:host:3478>; rel="ice-server"; username=…` (RFC 9725 section 4.6).
 */

const ADDRESS = /^(stuns?|turns?):(?:([^@]*)@)?(.*)$/;

/** The value of one Link header for `stun:host:3478` or `turn:user:password@host:3478`; user and password may be percent-encoded. */
export function iceLink(server: string): string {
  const [, scheme, login, host] = ADDRESS.exec(server) ?? ['', 'stun', undefined, server];
  const link = `<${scheme}:${host}>; rel="ice-server"`;
  if (login === undefined) return link;
  const colon = login.indexOf(':');
  const [user, password] = colon < 0 ? [login, ''] : [login.slice(0, colon), login.slice(colon + 1)];
  return `${link}; username=${quoted(user)}; credential=${quoted(password)}; credential-type="password"`;
}

/** RFC 9110 section 5.6.4. */
function quoted(text: string): string {
  return `"${decoded(text)
    .replace(/["\\]/g, '\\$&')
    .replace(/[^\x20-\x7e]/g, '')}"`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
