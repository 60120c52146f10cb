/**
 * How long does a webStatus report hold the event loop, to be written and for its answer to be read? In CPU time of the thread.
 * Ten thousand sessions, unless told otherwise: node bench/micro/php-status.ts [sessions] [--json]
 */
import { readStatusReply } from '../../src/control/status-reply.ts';
import { SESSIONS_PER_SLICE, StatusForm } from '../../src/control/web-status.ts';
import type { Session } from '../../src/session/session.ts';
import { aSession } from '../../test/helpers/sessions.ts';
import { print } from './measure.ts';

const SESSIONS = Number.parseInt(process.argv[2] ?? '', 10) || 10_000;
const ROUNDS = 20;
const WARM_UP = 3;

/** Half RTMP, half WebRTC. */
function town(): Session[] {
  return Array.from({ length: SESSIONS }, (_, index) =>
    aSession(
      index % 2 === 0
        ? { name: `viewer ${index} Ærø`, ip: '2001:db8::17', room: 'The big room' }
        : {
            transport: 'webrtc',
            stream: {
              name: 'channel',
              query: `channel_id=4&userID=${index}&key=0123456789abcdef0123456789abcdef&ip=2001%3Adb8%3A%3A17&transcoding=0`,
              doing: 'play',
            },
          },
    ),
  );
}

/** What the vendor's scripts answer to so many; one in a hundred has to go. */
function answer(damaged: boolean): Buffer {
  const entries = Array.from({ length: SESSIONS }, (_, index) => {
    const name = `viewer ${index}`;
    const text = index % 100 === 0 ? (damaged ? 's:5:"a &gt; b"' : 's:5:"a > b"') : 's:0:""';
    const key = `s:${name.length}:"${name}"`;
    return `${key};a:6:{s:10:"disconnect";${text};s:7:"session";${key};s:2:"dS";i:0;s:4:"type";N;s:4:"room";s:4:"room";s:8:"username";N;}`;
  });
  return Buffer.from(
    `VideoWhisper=1&usersCount=${SESSIONS}&controlUsers=a:${SESSIONS}:{${entries.join('')}}&controlSessions=a:0:{}`,
  );
}

/** Milliseconds of this thread's CPU: what others do on the machine meanwhile is not counted. */
function took(work: () => void): number {
  const start = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(start);
  return (user + system) / 1000;
}

/** Milliseconds that each step of one report takes: who is here, each slice, the body as one piece. */
function report(sessions: Session[]): { steps: number[]; bytes: number } {
  let form!: StatusForm;
  const steps = [
    took(() => (form = new StatusForm(sessions, 60_000, { appInstanceInfo: 'bench', limitClientRateIn: 0 }))),
  ];
  for (let more = true; more; ) steps.push(took(() => (more = form.write(SESSIONS_PER_SLICE))));
  let bytes = 0;
  steps.push(took(() => (bytes = form.body.length)));
  return { steps, bytes };
}

function figures(what: string, millis: number[]): void {
  const sorted = millis.sort((one, other) => one - other);
  print({ name: `${what}, median`, value: sorted[sorted.length >> 1]!, unit: 'ms' });
  print({ name: `${what}, worst of ${sorted.length}`, value: sorted.at(-1)!, unit: 'ms' });
}

const sessions = town();
for (let round = 0; round < WARM_UP; round++) report(sessions);
const reports = Array.from({ length: ROUNDS }, () => report(sessions));
figures(
  `report of ${SESSIONS} sessions, ${reports[0]!.bytes} bytes, whole`,
  reports.map(({ steps }) => steps.reduce((sum, step) => sum + step, 0)),
);
figures(
  `its longest step, ${SESSIONS_PER_SLICE} sessions a slice`,
  reports.map(({ steps }) => Math.max(...steps)),
);
for (const damaged of [false, true]) {
  const bytes = answer(damaged);
  const times = Array.from({ length: ROUNDS }, () => took(() => readStatusReply(bytes))).slice(WARM_UP);
  figures(`answer of ${bytes.length} bytes${damaged ? ', its lengths wrong' : ''}`, times);
}
