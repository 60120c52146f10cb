/**
 * The codes of faults in the protocols of clients; see error-table.ts.
 */

/** What an operator reads about a code: what happened, and what to do. */
export interface ErrorEntry {
  readonly what: string;
  readonly fix: string;
}

export const PROTOCOL_ERRORS: Readonly<Record<string, ErrorEntry>> = {
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
  'webrtc/ice-tcp': {
    what: 'A connection to webrtc.tcpListen was cut: no valid connectivity check in time, too long a frame, or its client reads no more.',
    fix: 'Nothing, when strangers try the port; for a client of yours, look at its network.',
  },
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
};
