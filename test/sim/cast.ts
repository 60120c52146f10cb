/**
 * Who lives in a town: made up from the seed.
 */
import { SITE_DEFAULTS, type SiteOptions } from '../../src/control/options.ts';
import { RTMP_DEFAULTS, type RtmpOptions } from '../../src/rtmp/options.ts';
import type { Dice } from './dice.ts';
import type { Habit, Plan } from './person.ts';
import { rightKey, type TownSite, VIEW_KEY } from './web.ts';

const PUBLISHERS: readonly Habit[] = [
  ...Array<Habit>(6).fill('honest'),
  ...(['stalling', 'handshake', 'hasty', 'silent', 'twice', 'back'] as const),
];
const VIEWERS: readonly Habit[] = [
  ...Array<Habit>(6).fill('honest'),
  ...(['slow', 'stalling', 'deaf', 'handshake', 'hasty', 'babbling', 'pausing', 'back'] as const),
];
/** What names may look like; some are the same to a site that makes file names of them. */
const DECORATIONS = [
  (n: string) => n,
  (n: string) => n,
  (n: string) => `${n} & co`,
  (n: string) => `José ${n}`,
  (n: string) => `日本 ${n}`,
  (n: string) => `-${n}-`,
];

/** What no report could hold: such names are refused at the door. */
const UNSAFE = [
  (n: string) => `<b>${n}`,
  (n: string) => `${n}%41`,
  (n: string) => `${n}\\`,
  (n: string) => `${n}";i:1`,
];
/** Enough for reports in several slices. */
const CROWD = { least: 110, most: 160 };

/** Applications by name: two of one site, one with a site that remembers, one that is lenient, one without. */
export function applications([first, second, third]: readonly TownSite[]): Map<string, SiteOptions> {
  const all: Record<string, Partial<SiteOptions>> = {
    live: { ...first!.options },
    vip: { ...first!.options },
    club: { ...second!.options, freshLogin: false, acceptPlayers: true },
    lax: { ...third!.options, onWebFailure: 'accept', webStatusInterval: 10_000 },
    free: {},
  };
  return new Map(Object.entries(all).map(([name, options]) => [name, { ...SITE_DEFAULTS, ...options }]));
}

export function rtmpOptions(dice: Dice): RtmpOptions {
  return {
    ...RTMP_DEFAULTS,
    chunkSize: dice.pick([128, 4_096, 65_536]),
    writeWindow: dice.pick(['video', 'video', 0, 20, 300]),
    gopCache: dice.chance(0.8),
    viewerQueue: dice.pick([16 << 10, 128 << 10]),
  };
}

/** The plans of everybody, in no order. */
export function cast(apps: readonly string[], dice: Dice): Plan[] {
  const plans: Plan[] = [];
  const channels = dice.between(1, 6);
  const crowd = dice.chance(0.04) ? dice.between(CROWD.least, CROWD.most) : 0;
  for (let channel = 0; channel < channels; channel++) {
    const app = dice.pick(apps);
    const session = dice.pick(DECORATIONS)(`chan${channel}`);
    const base = { app, session, room: `room ${channel}`, stream: `stream${channel}`, key: rightKey(session) };
    const owner: Plan = { ...base, does: 'publish', habit: dice.pick(PUBLISHERS), broadcaster: '1' };
    plans.push(owner);
    plans.push(...rivals(owner, apps, dice));
    const viewers = dice.between(0, 6) + (channel === 0 ? crowd : 0);
    for (let left = viewers; left > 0; left--) plans.push(viewer(owner, plans, apps, dice));
  }
  return plans;
}

/** People who are in the owner's way. */
function* rivals(owner: Plan, apps: readonly string[], dice: Dice): Generator<Plan> {
  // the same encoder a second time
  if (dice.chance(0.3)) yield { ...owner, habit: 'honest' };
  // somebody else with the owner's name
  if (dice.chance(0.3)) yield { ...owner, habit: 'honest', key: 'a guess' };
  // a viewer who would like to publish
  if (dice.chance(0.2))
    yield { ...owner, habit: 'honest', session: `${owner.session}.fan`, key: VIEW_KEY, broadcaster: '0' };
  // another broadcaster who takes the owner's stream
  if (dice.chance(0.2)) {
    const session = `${owner.session}.thief`;
    yield { ...owner, habit: 'honest', session, key: rightKey(session) };
  }
  // the same name in another application
  if (dice.chance(0.2)) yield { ...owner, habit: 'honest', app: dice.pick(apps), stream: `${owner.stream}b` };
}

function viewer(owner: Plan, others: readonly Plan[], apps: readonly string[], dice: Dice): Plan {
  const number = String(others.length * 7);
  const session = dice.chance(0.1)
    ? dice.pick(others).session
    : dice.chance(0.1)
      ? number
      : dice.pick(dice.chance(0.1) ? UNSAFE : DECORATIONS)(`viewer${number}`);
  const key = dice.chance(0.1) ? 'no key' : VIEW_KEY;
  const app = dice.chance(0.05) ? dice.pick(apps) : owner.app;
  return { ...owner, does: 'play', habit: dice.pick(VIEWERS), app, session, key, broadcaster: '0' };
}
