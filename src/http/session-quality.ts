/**
 * How a session's media travels, as the admin interface shows it.
 */
import { type Static, Type } from 'typebox';
import type { SendingQuality, SessionQuality, SourceQuality } from '../session/quality.ts';

const count = (description: string) => Type.Integer({ minimum: 0, description });
/** Left out while it is not known. */
const told = (description: string) => Type.Optional(Type.Number({ minimum: 0, description }));

const Sending = Type.Object(
  {
    lossPercent: told('Of the last report: of picture or sound, whichever lost more.'),
    packetsLost: Type.Optional(count('Since the beginning, as the client counts.')),
    rttMillis: told('Round trip.'),
    jitterMillis: told('Of the picture, or of sound alone.'),
    bitrate: count('Bits a second, retransmissions included.'),
    estimatedBitrate: Type.Optional(count('Bits a second that the client thinks its line can carry.')),
    packetsSent: count('RTP, retransmissions included.'),
    packetsRetransmitted: count('Of these, again.'),
    nacks: count('Packets that the client asked for again.'),
    keyFrameRequests: count('PLI and FIR.'),
    freezes: count('Groups of pictures that it could not show to the end, as it asked for another key frame.'),
  },
  { description: 'What a viewer is sent, and says of it. Left out for publishers.' },
);

const Receiving = Type.Object(
  {
    kind: Type.Enum(['audio', 'video']),
    codec: Type.String(),
    layer: Type.Optional(Type.String({ description: 'Name of the simulcast layer, where there are several.' })),
    relayed: Type.Boolean({ description: 'Viewers get this one.' }),
    packets: count('RTP.'),
    packetsLost: count('Never came.'),
    packetsRecovered: count('Came after they had been asked for.'),
    jitterMillis: Type.Number({ minimum: 0 }),
    rttMillis: told('From asking for a packet to its coming.'),
    bitrate: count('Bits a second.'),
    nacks: count('Packets asked for, each time counted.'),
    keyFrameRequests: count('PLI and FIR.'),
    frames: count('Whole ones.'),
    keyFrames: count('Of these.'),
    width: Type.Optional(Type.Integer({ description: 'Pixels, where castgate had to look.' })),
    height: Type.Optional(Type.Integer()),
  },
  { description: 'One source of a publisher.' },
);

export const QualityItem = Type.Object(
  {
    through: Type.Optional(Type.Enum(['udp', 'tcp'], { description: 'Left out until the client has been found.' })),
    srtpProfile: Type.Optional(Type.String({ description: '`aes128-cm-sha1-80` or `aead-aes-128-gcm`.' })),
    codecs: Type.Array(Type.String(), { description: 'Of what is sent or comes, picture first.' }),
    sending: Type.Optional(Sending),
    receiving: Type.Optional(Type.Array(Receiving, { description: 'Each source of a publisher.' })),
  },
  { description: 'How the media travels; of WebRTC alone.' },
);

export type QualityItem = Static<typeof QualityItem>;
type SendingItem = Static<typeof Sending>;
type SourceItem = Static<typeof Receiving>;

const FRACTIONAL = /(?:Millis|Percent)$/;

/** Known figures alone, whatever the client has reported. */
export function qualityItem({ through, srtpProfile, codecs, sending, receiving }: SessionQuality): QualityItem {
  return {
    ...(through && { through }),
    ...(srtpProfile && { srtpProfile }),
    codecs: [...codecs],
    ...(sending && { sending: figures(sending) as SendingItem }),
    ...(receiving && { receiving: receiving.map((source) => figures(source) as SourceItem) }),
  };
}

/** Times and shares with one decimal, all else whole; what makes no sense is 0, as numbers that are none cannot be written. */
function figures(quality: SendingQuality | SourceQuality): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(quality)) {
    if (value === undefined) continue;
    const scale = FRACTIONAL.test(name) ? 10 : 1;
    shown[name] = typeof value === 'number' ? Math.max(0, Math.round(value * scale) / scale) || 0 : value;
  }
  return shown;
}
