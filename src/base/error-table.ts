/**
 * Every code castgate logs or answers, which docs/errors.md is made from. A code never changes its meaning; `test/tidy.test.ts` checks
 * that each one used stands here.
 */
import { type ErrorEntry, PROTOCOL_ERRORS } from './protocol-errors.ts';

export const ERRORS: Readonly<Record<string, ErrorEntry>> = {
  ...PROTOCOL_ERRORS,
  'access/application': {
    what: 'The application name is not in the configuration.',
    fix: 'Use one of the configured applications, or add it under applications.',
  },
  'access/address': {
    what: 'The connect address has no session and acceptPlayers is off.',
    fix: 'Use the address that the web site shows, or set acceptPlayers: true.',
  },
  'access/name': {
    what: 'A session, room or stream name is empty, too long, or holds characters that would break the site report.',
    fix: 'Use at most 64 bytes, without < \\ % escapes and control characters.',
  },
  'access/login': {
    what: 'The web site refused the login.',
    fix: 'Check the key in the address, and whether the site knows the session; the log line says which it is, where the site did.',
  },
  'access/key': {
    what: 'A WebRTC client brought no key, or one that does not open the stream.',
    fix: 'Use the address that the web site shows; where that site makes keys of its own kind, set webRtcLogin: login.',
  },
  'access/web': {
    what: 'The web site could not be asked, so nobody is let in.',
    fix: 'See GET /v1/applications for what is wrong with webLogin.',
  },
  'access/webkey': {
    what: 'The webKey in the answer is not ours.',
    fix: 'Set the same webKey in castgate and on the web site; if it is the same, somebody else answers for the site.',
  },
  'access/role': { what: 'A viewer tried to publish.', fix: 'Use the broadcaster address that the web site shows.' },
  'access/duplicate': {
    what: 'The session or the stream name is already being published.',
    fix: 'Stop the other encoder, wait for it to time out, or set takeover.',
  },
  'access/taken-over': {
    what: 'Another publisher with the same credentials took the name.',
    fix: 'Nothing, when it was you; otherwise change the stream key.',
  },
  'access/disconnected': {
    what: 'The web site or an operator ended the session.',
    fix: 'The text that came with it says why.',
  },
  'access/busy': {
    what: 'A limit on connections, sessions or open logins is reached.',
    fix: 'Raise rtmp.maxConnections, rtmp.maxConnectionsPerIp or maxLoginQueue, or find who opens so many.',
  },
  'access/shutdown': { what: 'The server is shutting down.', fix: 'Connect again in a moment.' },
  'stream/b-frames': {
    what: 'The stream has B-frames: players over RTMP show it, browsers over WebRTC cannot.',
    fix: 'Switch them off in the encoder: in OBS set "Max B-frames" (or "bf") to 0, or tune to "zerolatency"; in ffmpeg add -bf 0.',
  },
  'stream/changed': {
    what: 'The publisher came back with another codec, and what a WebRTC viewer has agreed on no longer fits.',
    fix: 'Play it again.',
  },
  'stream/not-found': { what: 'Nobody publishes the stream.', fix: 'Check the name, or start the encoder.' },
  'web/unreachable': {
    what: 'No connection to the web site.',
    fix: 'Check the URL, DNS, firewall, and connectTo when a proxy such as Cloudflare is in between.',
  },
  'web/timeout': {
    what: 'The web site did not answer in time.',
    fix: 'Look at the load of the web server; it needs at least two workers.',
  },
  'web/status': {
    what: 'The web site answered with an HTTP status other than 200.',
    fix: 'Look into the error log of the web server at this time.',
  },
  'web/redirect': {
    what: 'The web site redirects. castgate never follows.',
    fix: 'Configure the address that it points to.',
  },
  'web/too-large': {
    what: 'The answer is larger than the limit.',
    fix: 'The URL probably leads to a page instead of the script.',
  },
  'web/answer': {
    what: 'The answer holds none of the fields expected.',
    fix: 'The URL probably leads to a page instead of the script, or the script failed.',
  },
  'web/denied': {
    what: 'The site denies the status report.',
    fix: "Enable webStatus in the site's settings and allow this server's address there.",
  },
  'web/empty': {
    what: 'The answer is empty.',
    fix: "Usually this server's address is not on the site's webStatus list; enable it there or log in once as a broadcaster.",
  },
  'web/journal': {
    what: 'The logout journal cannot be written.',
    fix: 'Make the state directory writable; until then a crash may lose logouts.',
  },
  'config/invalid': {
    what: 'The configuration has a fault.',
    fix: 'The message names line, column and the nearest known key.',
  },
  'config/warning': {
    what: 'A setting works and is probably not meant so.',
    fix: 'The message says why; castgate check FILE shows it with line and column.',
  },
  'config/reload': {
    what: 'A changed configuration was not taken; the old one stays in force.',
    fix: 'Run castgate check FILE.',
  },
  'config/default-key': {
    what: 'webKey is the word that the vendor ships as its default.',
    fix: 'Choose a secret of your own, here and on the web site.',
  },
  'server/listen': {
    what: 'A port could not be opened.',
    fix: 'Another program uses it; stop that one or change the listen address.',
  },
  'server/state': {
    what: "Another castgate uses the state directory; two would log out each other's people.",
    fix: 'Stop that one, or give each a state.dir of its own.',
  },
  'server/tls': {
    what: 'A certificate or key cannot be read or do not belong together.',
    fix: 'Check the files; the last good pair stays in use.',
  },
  'server/bug': {
    what: 'A fault of castgate itself; one connection was closed because of it.',
    fix: 'Please report the log line with its stack.',
  },
  'server/not-ready': { what: 'The server is up and should not be sent clients now.', fix: 'The detail says why.' },
  'api/unauthorized': {
    what: 'The admin interface needs a bearer token.',
    fix: 'Send Authorization: Bearer with admin.token.',
  },
  'api/host': {
    what: 'The Host or Origin header is not one of the admin interface.',
    fix: 'Call it by the address it listens on, or list the name in admin.hosts.',
  },
  'api/not-found': { what: 'No such session, stream or page.', fix: 'List them first.' },
  'api/request': { what: 'The request is malformed.', fix: 'See docs/openapi.json.' },
  'api/method': {
    what: 'The page does not know this method.',
    fix: 'The Allow header of the answer lists those it knows.',
  },
  'api/too-large': { what: 'The request is larger than the limit.', fix: 'Send less; bodies may have 64 KiB.' },
  'api/media-type': { what: 'The request body has a type that is not understood here.', fix: 'See docs/openapi.json.' },
  'api/timeout': {
    what: 'The request did not arrive whole in time.',
    fix: 'Check the network, or a proxy in between.',
  },
  'media/aac': {
    what: 'AAC sound is damaged, or its configuration is, so that it cannot be turned into Opus for browsers.',
    fix: 'A fault of the encoder; update it. The stream goes on without sound where Opus is needed.',
  },
  'media/aac-profile': {
    what: 'AAC sound is of a kind that castgate cannot turn into Opus by itself (Main, LTP, scalable and the like).',
    fix: 'Set the encoder to AAC-LC, or install ffmpeg on the server.',
  },
  'media/opus': {
    what: 'Opus sound is damaged or has more than two channels, so that it cannot be turned into AAC.',
    fix: 'Send one or two channels; a damaged stream is a fault of the publisher.',
  },
  'media/encoder': {
    what: 'The ffmpeg that re-encodes pictures which browsers cannot show is not there, has ended, or is too slow.',
    fix: 'Install ffmpeg with libx264 in the PATH of castgate and give it a free core for each such stream; or switch off B-frames in the encoder (-bf 0), which needs none of it.',
  },
  'media/ffmpeg': {
    what: 'The ffmpeg that decoded a kind of AAC castgate has no decoder for has ended.',
    fix: 'The text that came with it is what ffmpeg said; set the encoder to AAC-LC to do without.',
  },
  'media/transcoder': {
    what: 'The thread that turns sound from AAC into Opus and back has failed; pictures go on.',
    fix: 'Sound is tried again after ten seconds. Please report the log line.',
  },
};
