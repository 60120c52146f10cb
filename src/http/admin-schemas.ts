/**
 * The admin interface as JSON schemas: requests are checked against them, answers hold nothing that is not in them, and
 * docs/openapi.json is made from them.
 */
import { type Static, type TProperties, Type } from 'typebox';
import { QualityItem } from './session-quality.ts';
import type { TrackView } from './views.ts';

declare module 'fastify' {
  /** Words of OpenAPI that stand beside the schemas of a route. */
  interface FastifySchema {
    tags?: readonly string[];
    summary?: string;
    description?: string;
    operationId?: string;
    security?: ReadonlyArray<{ [securityLabel: string]: readonly string[] }>;
  }
  interface FastifyContextConfig {
    /** Answered without the token. */
    open?: boolean;
  }
}

/** A list is one page of at most this many. */
export const MAX_ITEMS = 10_000;
const MAX_NAME = 256;

const closed = <T extends TProperties>(properties: T) => Type.Object(properties, { additionalProperties: false });
const optionalText = (description: string) => Type.Union([Type.String(), Type.Null()], { description });
const count = (description: string) => Type.Integer({ minimum: 0, description });
const name = (description: string) => Type.String({ maxLength: MAX_NAME, description });

const paging = {
  page: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000, default: 0, description: 'From 0.' })),
  itemsPerPage: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_ITEMS, default: MAX_ITEMS })),
};

export const Paging = closed(paging);
export const SessionQuery = closed({
  ...paging,
  app: Type.Optional(name('Only sessions of this application.')),
  stream: Type.Optional(name('Only sessions that publish or play this stream.')),
  role: Type.Optional(Type.Enum(['broadcaster', 'watcher'], { description: 'Only sessions of this role.' })),
});
export const SessionId = closed({ id: Type.String({ maxLength: 64, description: 'As `id` in the list.' }) });
export const Disconnect = closed({
  reason: Type.Optional(Type.String({ description: 'Shown to the client; its first 200 characters.' })),
});
export const StreamName = closed({ app: name('Application.'), stream: name('Stream, without its query.') });

export const SessionItem = Type.Object(
  {
    id: Type.String({ description: "castgate's own; in each log line too." }),
    name: Type.String({ description: 'As the web site knows it; several sessions may share one.' }),
    protocol: Type.String({ description: '`rtmp`, `rtmps`, `webrtc`.' }),
    app: Type.String(),
    stream: optionalText('What it publishes or plays, without the query; null: nothing yet.'),
    room: Type.String(),
    role: Type.Enum(['broadcaster', 'watcher']),
    ip: Type.String(),
    startedAt: Type.String({ description: 'ISO 8601, UTC.' }),
    bytesIn: count('Received from the client.'),
    bytesOut: count('Sent to the client.'),
    state: Type.Enum(['connected', 'publishing', 'playing', 'closing']),
    quality: Type.Optional(QualityItem),
  },
  { $id: 'Session', description: 'One client, let in by the gate.' },
);

const Browsers = Type.Object(
  {
    watchable: Type.Boolean({ description: 'By WebRTC. Which codecs one browser plays shows when it asks.' }),
    code: optionalText('What they cannot have of it, all or the sound: a code of docs/errors.md; null: nothing.'),
    reason: optionalText('The same in words.'),
  },
  { description: 'Left out while it is not live, and where WebRTC is off.' },
);

const Rendition = Type.Object({
  to: Type.String({ description: 'The codec: `aac`, `opus`, `h264`.' }),
  state: Type.Enum(['idle', 'waiting', 'running', 'failed'], {
    description:
      '`idle`: nobody needs it. `waiting`: there is nothing to translate. `failed`: viewers do without until it is tried again.',
  }),
  viewers: count('Who get it.'),
  failureCode: optionalText('Of the last failure, a code of docs/errors.md; null: there was none.'),
  failure: optionalText('The same in words.'),
});

const Track = Type.Object({
  kind: Type.Enum(['video', 'audio']),
  track: count('0 unless the publisher sends several.'),
  codec: Type.String(),
  rfc6381: Type.Optional(Type.String({ description: 'Such as `avc1.64001f`.' })),
  profile: Type.Optional(Type.String()),
  level: Type.Optional(Type.String()),
  width: Type.Optional(Type.Integer({ description: 'Pixels shown.' })),
  height: Type.Optional(Type.Integer()),
  fps: Type.Optional(Type.Number()),
  bitDepth: Type.Optional(Type.Integer()),
  bFrames: Type.Optional(Type.Boolean({ description: 'Pictures are decoded in another order than shown.' })),
  sampleRate: Type.Optional(Type.Integer({ description: 'Hertz.' })),
  channels: Type.Optional(Type.Integer()),
});

export const StreamItem = Type.Object(
  {
    app: Type.String(),
    name: Type.String(),
    live: Type.Boolean({ description: 'False: viewers wait for a publisher.' }),
    audience: count('Viewers now.'),
    codecs: Type.Array(Type.String(), { description: 'Of the tracks, in order.' }),
    tracks: Type.Array(Track),
    reordered: Type.Boolean({ description: 'B-frames have been seen: pictures come in another order than shown.' }),
    browsers: Type.Optional(Browsers),
    renditions: Type.Array(Rendition, { description: 'It in another codec, where it was translated for somebody.' }),
    bytes: count('Received from publishers while the stream has existed.'),
    videoFrames: count('Likewise.'),
    keyFrames: count('Likewise.'),
    audioFrames: count('Likewise.'),
    publisher: optionalText('Session id.'),
    since: optionalText('When the publisher connected; ISO 8601, UTC.'),
  },
  { $id: 'Stream', description: 'A stream that somebody publishes or waits for.' },
);

const Counted = Type.Record(Type.String(), Type.Integer());

export const ApplicationItem = Type.Object(
  {
    name: Type.String({ description: '`*` stands for every name that is not listed.' }),
    sessions: count('Here now.'),
    acceptPlayers: Type.Boolean(),
    webLogin: optionalText('Host and path only; null: not set.'),
    webLogout: optionalText('Likewise.'),
    webStatus: optionalText('Likewise.'),
    state: Type.String({
      description: "In words for the site's owner: who controls the sessions, or why nobody does.",
    }),
    lastAnswer: optionalText('Kind of the last webStatus answer; null: none yet.'),
    lastAnswerAt: optionalText('ISO 8601, UTC.'),
    lastAnswerAge: Type.Union([Type.Number(), Type.Null()], { description: 'Seconds.' }),
    failure: optionalText('What is wrong now, in words; null: nothing.'),
    failureCode: optionalText('The code of it in docs/errors.md.'),
    failingSince: optionalText('ISO 8601, UTC.'),
    counts: Type.Object(
      {
        logins: { ...Counted, description: 'webLogin by result.' },
        answers: { ...Counted, description: 'webStatus answers by kind.' },
        failures: { ...Counted, description: 'webStatus failures by code.' },
        orders: count('Orders of the site carried out.'),
        logoutsWaiting: count('webLogout calls that the site has not taken yet.'),
      },
      { description: 'Since the start.' },
    ),
  },
  { $id: 'Application', description: 'An application and how its web site does.' },
);

export const Index = Type.Object({
  name: Type.String(),
  version: Type.String(),
  links: Type.Array(Type.String(), { description: 'Paths to go on from here.' }),
});

export const ProblemItem = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    code: Type.String({ description: 'Stable; explained in docs/errors.md.' }),
    fix: Type.String(),
  },
  { $id: 'Problem', description: 'RFC 9457.' },
);

export type Paging = Static<typeof Paging>;
export type SessionQuery = Static<typeof SessionQuery>;
export type SessionId = Static<typeof SessionId>;
export type Disconnect = Static<typeof Disconnect>;
export type StreamName = Static<typeof StreamName>;
export type SessionItem = Static<typeof SessionItem>;
/** What of a track is not in the schema is left out when the answer is written. */
export type StreamItem = Omit<Static<typeof StreamItem>, 'tracks'> & { tracks: readonly TrackView[] };
export type ApplicationItem = Static<typeof ApplicationItem>;
export type Index = Static<typeof Index>;

/** What answers refer to by name. */
export type Named = 'Session' | 'Stream' | 'Application' | 'Problem';
/** The schemas of those names, for the framework. */
export const NAMED = [SessionItem, StreamItem, ApplicationItem, ProblemItem];

/** Response table of a route that answers one `named` item. */
export function oneOf(named: Named, description: string): Record<string, object> {
  return answer(description, 'application/json', { $ref: `${named}#` });
}

/** The same for a page of a list. */
export function listOf(named: Named): Record<string, object> {
  const schema = { type: 'array', items: { $ref: `${named}#` } };
  const headers = {
    'X-Total-Count': { type: 'integer', description: 'How many there are on all pages.' },
    Link: { type: 'string', description: 'The next page, where there is one (RFC 8288).' },
  };
  return answer('A page of the list.', 'application/json', schema, headers);
}

/** The same for what has no name. */
export function answer(description: string, type: string, schema: object, headers?: object): Record<string, object> {
  return { 200: { description, content: { [type]: { schema } }, ...(headers && { headers }) }, default: PROBLEMS };
}

/** The same for plain text. */
export function textAnswer(description: string): Record<string, object> {
  return answer(description, 'text/plain', Type.String());
}

/** The same for an answer without a body. */
export function emptyAnswer(description: string): Record<string, object> {
  return { 204: { description, type: 'null' }, default: PROBLEMS };
}

const PROBLEMS = {
  description: 'What is wrong.',
  content: { 'application/problem+json': { schema: { $ref: 'Problem#' } } },
};
