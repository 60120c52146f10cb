/**
 * A process of many light viewers. Each plays by WHEP, counts what comes, and reports on it each second; every n-th also decrypts and
 * checks each packet. Questions come over the process channel, one at a time; see `ViewersQuestion`.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { isRtcp, type ReportBlock, writeRtcp } from '../../../src/webrtc/rtcp.ts';
import { SrtcpSender } from '../../../src/webrtc/srtcp.ts';
import type { SrtpKeys } from '../../../src/webrtc/srtp-keys.ts';
import { median, percentile } from '../numbers.ts';
import { micros } from '../wire.ts';
import { LightPeer } from './light-peer.ts';
import { type Picture, type Pictures, WatchMeter } from './watch-meter.ts';

export type ViewersQuestion =
  /** Open more viewers, a few at a time. Answer: {}. */
  | { readonly ask: 'open'; readonly url: string; readonly count: number; readonly sampleEvery: number }
  /** Open the window of measurement. Answer: {}. */
  | { readonly ask: 'begin' }
  /** Close it. Answer: `Watched`. */
  | { readonly ask: 'end' }
  /** A new viewer every `everyMs`, who leaves at the first key frame. Answer: `Joined`. */
  | { readonly ask: 'join'; readonly url: string; readonly count: number; readonly everyMs: number }
  /** Come, wait for a packet, leave, `parallel` at a time. Answer: `Visited`. */
  | { readonly ask: 'visit'; readonly url: string; readonly count: number; readonly parallel: number };

export interface Watched {
  readonly seconds: number;
  readonly packets: number;
  readonly bytes: number;
  /** Pictures that every viewer has, by last packet. */
  readonly pictures: number;
  /** By sequence numbers. */
  readonly missing: number;
  readonly late: number;
  /** Datagrams that the system threw away because a socket of any process was full. */
  readonly overflowed: number;
  /** Of sampled viewers: packets that did not decrypt. */
  readonly forged: number;
  /** Viewers whose session ended. */
  readonly ended: number;
  /** Packets of the viewer who got least, as a share of the one in the middle. */
  readonly slowest: number;
  /** Milliseconds from the first viewer who has a picture to the last one; null: no picture is the same for all. */
  readonly spreadP50: number | null;
  readonly keySpreadP50: number | null;
  readonly keySpreadMax: number | null;
  /** Milliseconds from the publisher to a picture's last packet at a sampled viewer. */
  readonly latencyP50: number | null;
  readonly latencyP99: number | null;
  /** CPU of this process, percent of a core: near 100, it measures itself. */
  readonly loadPercent: number;
}

/** Milliseconds from the POST. */
export interface Joined {
  readonly firstP50: number | null;
  readonly firstP99: number | null;
  readonly keyP50: number | null;
  readonly keyP99: number | null;
  readonly failed: number;
}

export interface Visited {
  readonly perSecond: number;
  readonly failed: number;
  readonly loadPercent: number;
}

const IN_FLIGHT = 16;
const VISIT_TIMEOUT_MS = 15_000;
const REPORT_MS = 1_000;
const REPORT_TICKS = 20;
/** A key frame has at least so many times the packets of the picture in the middle. */
const KEY_PACKETS = 3;
const OWN_SSRC = 1;

class Viewer {
  readonly peer: LightPeer;
  readonly meter: WatchMeter;
  ended = false;
  readonly #rtcp: SrtcpSender;

  static async open(url: string, sampled: boolean): Promise<Viewer> {
    const { peer, keys } = await LightPeer.connect('play', url);
    return new Viewer(peer, keys, sampled);
  }

  private constructor(peer: LightPeer, keys: SrtpKeys, sampled: boolean) {
    const { videoType: video, audioType: audio } = peer.answer;
    this.peer = peer;
    this.meter = new WatchMeter({ video, audio }, keys, sampled);
    this.#rtcp = new SrtcpSender(keys.profile, keys.local);
    peer.onMedia = (packet) => {
      if (!isRtcp(packet)) this.meter.take(packet);
    };
    peer.onClosed = () => {
      this.ended = true;
    };
  }

  report(): void {
    const blocks = [this.meter.video.block, this.meter.audio.block].filter(isBlock);
    if (blocks.length > 0) this.peer.send(this.#rtcp.protect(writeRtcp([{ type: 'rr', ssrc: OWN_SSRC, blocks }])));
  }

  get missing(): number {
    return this.meter.video.lost + this.meter.audio.lost;
  }

  get late(): number {
    return this.meter.video.late + this.meter.audio.late;
  }
}

const viewers: Viewer[] = [];
let before = { at: 0, cpu: process.cpuUsage(), packets: [0], bytes: 0, missing: 0, late: 0, overflowed: 0 };
let pictures: Pictures = new Map();
let tick = 0;
setInterval(() => {
  tick = (tick + 1) % REPORT_TICKS;
  for (let at = tick; at < viewers.length; at += REPORT_TICKS) viewers[at]!.report();
}, REPORT_MS / REPORT_TICKS);

async function open(url: string, count: number, sampleEvery: number): Promise<object> {
  const first = viewers.length;
  await each(count, IN_FLIGHT, async (number) => {
    viewers.push(await Viewer.open(url, (first + number) % sampleEvery === 0));
  });
  return {};
}

function begin(): object {
  pictures = new Map();
  for (const { meter } of viewers) {
    meter.pictures = pictures;
    meter.latencies.length = 0;
  }
  before = {
    at: micros(),
    cpu: process.cpuUsage(),
    packets: viewers.map(({ meter }) => meter.packets),
    bytes: sum(({ meter }) => meter.bytes),
    missing: sum((viewer) => viewer.missing),
    late: sum((viewer) => viewer.late),
    overflowed: overflows(),
  };
  return {};
}

function end(): Watched {
  for (const { meter } of viewers) meter.pictures = null;
  const seconds = (micros() - before.at) / 1e6;
  const { user, system } = process.cpuUsage(before.cpu);
  const packets = viewers.map(({ meter }, at) => meter.packets - before.packets[at]!);
  const latencies = viewers.flatMap(({ meter }) => meter.latencies);
  const middle = median(packets) ?? 0;
  const whole = [...pictures.values()].filter((picture) => picture.viewers === viewers.length);
  return {
    seconds,
    packets: packets.reduce((total, each) => total + each, 0),
    bytes: sum(({ meter }) => meter.bytes) - before.bytes,
    pictures: whole.length,
    missing: sum((viewer) => viewer.missing) - before.missing,
    late: sum((viewer) => viewer.late) - before.late,
    overflowed: overflows() - before.overflowed,
    forged: sum(({ meter }) => meter.forged),
    ended: sum(({ ended }) => (ended ? 1 : 0)),
    slowest: middle === 0 ? 0 : Math.min(...packets) / middle,
    ...spreads(whole),
    latencyP50: percentile(latencies, 50),
    latencyP99: percentile(latencies, 99),
    loadPercent: (user + system) / seconds / 1e4,
  };
}

function spreads(whole: readonly Picture[]): Pick<Watched, 'spreadP50' | 'keySpreadP50' | 'keySpreadMax'> {
  const millis = ({ first, last }: Picture): number => (last - first) / 1000;
  const usual = median(whole.map(({ packets }) => packets)) ?? 0;
  const keys = whole.filter(({ packets }) => packets >= KEY_PACKETS * usual).map(millis);
  return {
    spreadP50: percentile(whole.map(millis), 50),
    keySpreadP50: percentile(keys, 50),
    keySpreadMax: percentile(keys, 100),
  };
}

async function join(url: string, count: number, everyMs: number): Promise<Joined> {
  const firsts: number[] = [];
  const keys: number[] = [];
  let failed = 0;
  const visit = async (): Promise<void> => {
    try {
      const { peer, meter } = await stay(url, true, 'onKeyFrame');
      firsts.push((meter.firstAt - peer.postedAt) / 1000);
      keys.push((meter.keyFrameAt - peer.postedAt) / 1000);
    } catch {
      failed += 1;
    }
  };
  const visits: Promise<void>[] = [];
  for (let number = 0; number < count; number++) {
    visits.push(visit());
    await delay(everyMs);
  }
  await Promise.all(visits);
  return {
    firstP50: percentile(firsts, 50),
    firstP99: percentile(firsts, 99),
    keyP50: percentile(keys, 50),
    keyP99: percentile(keys, 99),
    failed,
  };
}

async function visit(url: string, count: number, parallel: number): Promise<Visited> {
  let failed = 0;
  const startedAt = micros();
  const cpu = process.cpuUsage();
  await each(count, parallel, async () => {
    try {
      await stay(url, false, 'onFirst');
    } catch {
      failed += 1;
    }
  });
  const seconds = (micros() - startedAt) / 1e6;
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: (count - failed) / seconds, failed, loadPercent: (user + system) / seconds / 1e4 };
}

/** Come, stay until it happens, leave. */
async function stay(url: string, sampled: boolean, until: 'onFirst' | 'onKeyFrame'): Promise<Viewer> {
  const viewer = await Viewer.open(url, sampled);
  try {
    const happened = new Promise<void>((resolve) => {
      viewer.meter[until] = resolve;
    });
    const late = delay(VISIT_TIMEOUT_MS, 'late', { ref: false });
    if ((await Promise.race([happened, late])) === 'late') throw new Error('nothing came');
    if (!(await viewer.peer.leave())) throw new Error('could not leave');
    return viewer;
  } finally {
    viewer.peer.close();
  }
}

/** Does `work` for 0 to `count` - 1, at most `parallel` at a time. */
async function each(count: number, parallel: number, work: (number: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: Math.min(parallel, count) }, worker));
}

function sum(of: (viewer: Viewer) => number): number {
  return viewers.reduce((total, viewer) => total + of(viewer), 0);
}

function isBlock(block: ReportBlock | undefined): block is ReportBlock {
  return block !== undefined;
}

/** `RcvbufErrors` of UDP over IPv4. */
function overflows(): number {
  const [names, values] = [...readFileSync('/proc/net/snmp', 'latin1').matchAll(/^Udp: (.*)$/gm)].map((line) =>
    line[1]!.split(' '),
  );
  return Number(values![names!.indexOf('RcvbufErrors')]);
}

function answer(question: ViewersQuestion): object | Promise<object> {
  switch (question.ask) {
    case 'open':
      return open(question.url, question.count, question.sampleEvery);
    case 'begin':
      return begin();
    case 'end':
      return end();
    case 'join':
      return join(question.url, question.count, question.everyMs);
    case 'visit':
      return visit(question.url, question.count, question.parallel);
  }
}

process.on('message', async (question: ViewersQuestion) => {
  try {
    process.send!(await answer(question));
  } catch (error) {
    process.send!({ error: String(error) });
  }
});
process.once('disconnect', () => process.exit(0));
