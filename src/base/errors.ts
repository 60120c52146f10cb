/**
 * Whose fault it is. Every refusal and fault carries a stable code; `ERRORS` is the one table that docs/errors.md is made from.
 */

/** What an operator reads about a code: what happened, and what to do. */
export interface ErrorEntry {
  readonly what: string;
  readonly fix: string;
}

/** Every code castgate logs or answers. A code never changes its meaning; `test/tidy.test.ts` checks that each one used stands here. */
export const ERRORS: Readonly<Record<string, ErrorEntry>> = {
  // RTMP: they broke the protocol
  'rtmp/handshake': {
    what: 'The opening bytes are not an RTMP handshake.',
    fix: 'Point an RTMP encoder or player at this port; RTMPE (type 6) is not supported.',
  },
  'rtmp/chunk': {
    what: 'A chunk header is impossible: a follow-up without a first header, or a cut-off one.',
    fix: 'A fault of the client; capture the connection and report it.',
  },
  'rtmp/chunk-size': {
    what: 'The peer announced a chunk size of 0, or of 2147483648 and more.',
    fix: 'A fault of the client; encoders use 128 bytes to 64 KiB.',
  },
  'rtmp/chunk-streams': {
    what: 'The peer used more chunk streams than any encoder needs.',
    fix: 'A fault of the client, or an attack.',
  },
  'rtmp/message-size': {
    what: 'A message is longer than rtmp.maxMessage, or than rtmp.maxMessageBeforeConnect before the login.',
    fix: 'Lower the bitrate of key frames or raise the limit.',
  },
  'rtmp/partial-messages': {
    what: 'Too many messages were begun on separate chunk streams and not finished.',
    fix: 'A fault of the client, or an attack.',
  },
  'rtmp/message': {
    what: 'A control message is shorter than its fields.',
    fix: 'A fault of the client; capture the connection and report it.',
  },
  'rtmp/amf': {
    what: 'An AMF value is malformed, nested too deeply or too large.',
    fix: 'A fault of the client, or an attack.',
  },
  'rtmp/flv': {
    what: 'An audio or video message is shorter than its own header, or its configuration is larger than 64 KiB.',
    fix: 'A fault of the encoder; update it.',
  },
  'rtmp/command': {
    what: 'A command lacks an argument or has one of the wrong type.',
    fix: 'A fault of the client; the log line names the command.',
  },
  'rtmp/sequence': {
    what: 'A command came at a moment when it has no meaning, such as publish before connect.',
    fix: 'A fault of the client; the log line names the command.',
  },
  'rtmp/timeout': {
    what: 'The peer did not finish its handshake, its connect or its next step in time.',
    fix: 'Check the network; the limits are rtmp.handshakeTimeout, rtmp.connectTimeout and rtmp.idleTimeout.',
  },
  'rtmp/dead-peer': {
    what: 'A publisher sent nothing for rtmp.publishTimeout.',
    fix: 'Check the encoder and its network; the name is free again at once.',
  },
  'rtmp/slow-viewer': {
    what: 'A viewer did not take its data for rtmp.viewerTimeout, or its queue passed the hard limit.',
    fix: 'The viewer lacks bandwidth; offer a lower bitrate.',
  },
  'rtmp/too-many-questions': {
    what: 'The peer sent more than rtmp.maxMessageBeforeConnect behind its connect, before that was answered.',
    fix: 'A fault of the client; it should wait for the answer.',
  },
  'rtmp/answers-unread': {
    what: 'The peer asks and never reads the answers.',
    fix: 'A fault of the client, or an attack.',
  },
  // WebRTC: they broke the protocol
  'webrtc/ice-tcp': {
    what: 'A connection to webrtc.tcpListen was cut: no valid connectivity check in time, too long a frame, or its client reads no more.',
    fix: 'Nothing, when strangers try the port; for a client of yours, look at its network.',
  },
  // refusals: we say no
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
  'webrtc/timeout': {
    what: 'A WebRTC client got its answer, but the connection was not established in time.',
    fix: 'Let UDP through to webrtc.listen (and TCP to webrtc.tcpListen), and set webrtc.publicAddresses to what clients can reach.',
  },
  'webrtc/lost': {
    what: 'A WebRTC client answers no more.',
    fix: 'It has gone, or its network has; the limit is webrtc.consentTimeout.',
  },
  'webrtc/dtls-version': {
    what: 'A WebRTC client does not speak DTLS 1.2.',
    fix: 'Update the client; DTLS 1.0 is not safe, and 1.3 is not spoken here.',
  },
  'webrtc/dtls-parameters': {
    what: 'A WebRTC client and castgate have no cipher suite, curve, signature or SRTP profile in common.',
    fix: 'The log line says what is missing; update the client.',
  },
  'webrtc/dtls-fingerprint': {
    what: 'The certificate of a WebRTC client is not the one whose fingerprint its offer or answer names.',
    fix: 'Somebody else may be in between; otherwise a fault of the client. SHA-1 fingerprints are not taken.',
  },
  'webrtc/dtls-signature': {
    what: 'A WebRTC client cannot prove that it holds the key of its certificate.',
    fix: 'Somebody else may be in between; otherwise a fault of the client.',
  },
  'webrtc/dtls-handshake': {
    what: 'A WebRTC client broke the DTLS handshake.',
    fix: 'A fault of the client, or somebody in between; the log line says what was wrong.',
  },
  'webrtc/dtls-alert': {
    what: 'A WebRTC client ended DTLS by an alert.',
    fix: 'The log line has the number of the alert (RFC 5246 section 7.2); look into the log of the client.',
  },
  'webrtc/closed': {
    what: 'The WebRTC client has closed the session.',
    fix: 'Nothing to do.',
  },
  'webrtc/silent': {
    what: 'A WebRTC publisher sent no media for webrtc.publishTimeout.',
    fix: 'Check its camera, its microphone and its network.',
  },
  'stream/b-frames': {
    what: 'The stream has B-frames: players over RTMP show it, browsers over WebRTC cannot.',
    fix: 'Switch them off in the encoder: in OBS set "Max B-frames" (or "bf") to 0, or tune to "zerolatency"; in ffmpeg add -bf 0.',
  },
  'stream/changed': {
    what: 'The publisher came back with another codec, and what a WebRTC viewer has agreed on no longer fits.',
    fix: 'Play it again.',
  },
  'stream/not-found': { what: 'Nobody publishes the stream.', fix: 'Check the name, or start the encoder.' },
  'webrtc/message': {
    what: 'A message on the signalling WebSocket is no JSON, too long, or lacks a field.',
    fix: 'A fault of the page or client; docs/webrtc.md shows what each message holds.',
  },
  'webrtc/sdp': {
    what: 'An offer, an answer or a fragment of one cannot be read, or lacks what every WebRTC client sends.',
    fix: 'The message names what is missing; send the description as the browser made it.',
  },
  'webrtc/direction': {
    what: 'A publisher offered only to receive, or a viewer only to send.',
    fix: 'Offer sendonly to publish and recvonly to watch; or use the other address.',
  },
  'webrtc/codecs': {
    what: 'The client and the stream, or the client and castgate, have no codec in common.',
    fix: 'The message names what was offered and what is needed; H.264 and Opus suit everybody.',
  },
  'webrtc/session': {
    what: 'No session has this address, or the request lacks what the session was made with.',
    fix: "Begin a new one; a session's address is good for the same path and token only.",
  },
  'webrtc/if-match': {
    what: 'A restart of ICE came without If-Match.',
    fix: 'Send If-Match: * or the entity tag of the session (RFC 9725).',
  },
  'webrtc/etag': {
    what: 'If-Match names an entity tag that the session has no longer.',
    fix: 'Use the tag of the last answer.',
  },
  // the web site
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
  // configuration and running
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
  // sound between AAC and Opus
  'media/aac': {
    what: 'AAC sound is damaged, so that it cannot be turned into Opus for browsers.',
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
  'media/ffmpeg': {
    what: 'The ffmpeg that decoded a kind of AAC castgate has no decoder for has ended.',
    fix: 'The text that came with it is what ffmpeg said; set the encoder to AAC-LC to do without.',
  },
  'media/transcoder': {
    what: 'The thread that turns sound from AAC into Opus and back has failed; pictures go on.',
    fix: 'Sound comes back for who joins anew. Please report the log line.',
  },
  'server/not-ready': { what: 'The server is up and should not be sent clients now.', fix: 'The detail says why.' },
};

/** The other side broke the protocol. It is closed, with one info line. */
export class PeerError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.name = 'PeerError';
    this.code = code;
  }
}

/** We say no. The message is shown to the one refused, so it names the fix and no secret. */
export class RefusedError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.name = 'RefusedError';
    this.code = code;
  }
}
