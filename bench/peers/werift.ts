/**
 * The least WHIP and WHEP server that werift makes: one publisher per path, one track of werift's written to, and a full
 * RTCPeerConnection with its own senders for each viewer. A peer for the bench, no more.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { parseArgs } from 'node:util';
import { MediaStreamTrack, RTCPeerConnection, RTCRtpCodecParameters } from 'werift';

const HOST = '127.0.0.1';
const FEEDBACK = [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }];
const CODECS = {
  audio: [new RTCRtpCodecParameters({ mimeType: 'audio/opus', clockRate: 48_000, channels: 2, payloadType: 111 })],
  video: [
    new RTCRtpCodecParameters({
      mimeType: 'video/H264',
      clockRate: 90_000,
      payloadType: 96,
      rtcpFeedback: FEEDBACK,
      parameters: 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f',
    }),
  ],
};

const { values } = parseArgs({ options: { port: { type: 'string', default: '8080' } } });
/** By path: what its viewers are sent. */
const streams = new Map<string, MediaStreamTrack[]>();
const sessions = new Map<string, RTCPeerConnection>();
let number = 0;

createServer((request, response) => {
  serve(request, response).catch((error) => response.writeHead(400).end(String(error)));
}).listen(Number(values.port), HOST);

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = request.url ?? '';
  const [, path = '', door = ''] = /^(.*)\/(whip|whep)$/.exec(url) ?? [];
  if (request.method === 'DELETE') {
    await sessions.get(url)?.close();
    sessions.delete(url);
    response.writeHead(200).end();
  } else if (request.method === 'POST' && door !== '') {
    const offer = Buffer.concat(await request.toArray()).toString();
    const connection = new RTCPeerConnection({
      codecs: CODECS,
      iceServers: [],
      iceUseIpv6: false,
      iceAdditionalHostAddresses: [HOST],
    });
    if (door === 'whip') ingest(connection, path);
    else for (const track of streams.get(path) ?? []) connection.addTransceiver(track, { direction: 'sendonly' });
    await connection.setRemoteDescription({ type: 'offer', sdp: offer });
    await connection.setLocalDescription(await connection.createAnswer());
    const location = `/session/${++number}`;
    sessions.set(location, connection);
    response.writeHead(201, { 'content-type': 'application/sdp', location }).end(connection.localDescription?.sdp);
  } else response.writeHead(404).end();
}

function ingest(connection: RTCPeerConnection, path: string): void {
  const tracks: MediaStreamTrack[] = [];
  streams.set(path, tracks);
  connection.onTrack.subscribe((remote) => {
    const local = new MediaStreamTrack({ kind: remote.kind });
    tracks.push(local);
    remote.onReceiveRtp.subscribe((packet) => local.writeRtp(packet));
  });
}
