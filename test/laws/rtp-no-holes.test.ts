/**
 * No holes: whatever the path does to packets, the pictures that are relayed form runs that each begin with a key picture and lack
 * none; each is what was sent; times rise.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '../fuzz/mutation.ts';
import {
  type CameraOptions,
  lossyPath,
  negotiated,
  type PathOptions,
  pictureNumber,
  RtpCamera,
  RtpMicrophone,
  RtpTown,
  soundNumber,
} from '../helpers/rtp-camera.ts';

const scenario: fc.Arbitrary<Scenario> = fc.record<Scenario>({
  seed: fc.integer({ min: 1, max: 2 ** 31 }),
  loss: fc.constantFrom(0, 0, 1, 5, 20, 60),
  doubles: fc.constantFrom(0, 0, 5, 50),
  delay: fc.constantFrom(0, 5, 40, 150),
  jitter: fc.constantFrom(0, 0, 10, 30, 120),
  repeats: fc.constantFrom('rtx', 'plain', 'never'),
  nack: fc.boolean(),
  answersPli: fc.boolean(),
  sequence: fc.constantFrom(0, 65_400, 30_000),
  size: fc.constantFrom(200, 2_500, 20_000),
  /** The path is dead for so many pictures, after the twentieth. */
  outage: fc.constantFrom(0, 0, 3, 30),
});

interface Scenario extends Required<PathOptions>, Required<Pick<CameraOptions, 'sequence' | 'repeats' | 'answersPli'>> {
  readonly seed: number;
  readonly nack: boolean;
  readonly size: number;
  readonly outage: number;
}

const PICTURES = 100;

function play(each: Scenario) {
  const town = new RtpTown(negotiated({ feedback: { nack: each.nack } }));
  const random = seededRandom(each.seed);
  const path = lossyPath(town.clock, random, each, (packet) => town.publisher.rtp(packet));
  let dead = false;
  const send = (packet: Buffer) => {
    if (!dead) path(packet);
  };
  const camera = new RtpCamera(send, each);
  const microphone = new RtpMicrophone(send);
  const back = lossyPath(town.clock, random, { loss: each.loss, delay: each.delay }, (told) => camera.hear(told));
  town.onRtcp = back;
  for (let picture = 0; picture < PICTURES; picture++) {
    dead = picture >= 20 && picture < 20 + each.outage;
    if (picture === 70) town.publisher.requestKeyFrame();
    camera.picture(1 + random(each.size));
    microphone.sound();
    town.clock.advance(20);
    microphone.sound();
    town.clock.advance(20);
  }
  town.clock.advance(2_000);
  return { town, camera, microphone };
}

function check({ town, camera }: ReturnType<typeof play>): void {
  let before: number | undefined;
  for (const picture of town.pictures()) {
    const number = pictureNumber(picture);
    assert.deepEqual(picture.data, camera.sent[number], `picture ${number} is what was sent`);
    const key = camera.keys.has(number);
    assert.equal(picture.role, key ? 'key' : 'delta');
    assert.ok(picture.config !== undefined);
    if (before === undefined) assert.ok(key, 'begins with a key picture');
    else assert.ok(key ? number > before : number === before + 1, `${number} behind ${before}`);
    before = number;
  }
  for (const kind of ['video', 'audio'] as const) {
    const times = town.frames.filter((frame) => frame.kind === kind && frame.role !== 'config').map(({ dts }) => dts);
    assert.ok(
      times.every((time, index) => index === 0 || time > times[index - 1]!),
      `times of ${kind} rise`,
    );
    assert.ok(times.every((time) => time >= 0));
  }
  const sounds = town.sounds().map(soundNumber);
  assert.ok(
    sounds.every((sound, index) => index === 0 || sound > sounds[index - 1]!),
    'sounds in order, none twice',
  );
  town.publisher.close();
  // what was on its way
  town.clock.advance(1_000);
  assert.equal(town.clock.pending, 0, 'no timer is left');
}

test('relayed pictures form whole runs, whatever the path does', () => {
  fc.assert(
    fc.property(scenario, (each) => check(play(each))),
    { numRuns: 150 },
  );
});

test('a path that only delays and doubles loses nothing', () => {
  fc.assert(
    fc.property(
      scenario.map((each) => ({
        ...each,
        loss: 0,
        outage: 0,
        answersPli: true,
        jitter: Math.min(30, each.jitter),
      })),
      (each) => {
        const { town, microphone } = play(each);
        const first = pictureNumber(town.pictures()[0]!);
        assert.equal(town.pictures().length, PICTURES - first);
        assert.ok(
          first === 0 || (each.jitter > 0 && first < 20),
          'only the very first packets may have been overtaken',
        );
        assert.ok(town.sounds().length >= microphone.sent - 1);
      },
    ),
    { numRuns: 40 },
  );
});

test('what is asked for and repeated in time is hardly ever lost', () => {
  let sent = 0;
  let relayed = 0;
  fc.assert(
    fc.property(
      scenario.map((each) => ({
        ...each,
        ...{ loss: 5, outage: 0, nack: true, size: 2_500, answersPli: true },
        ...{ delay: Math.min(40, each.delay), jitter: Math.min(10, each.jitter) },
        repeats: each.repeats === 'never' ? ('rtx' as const) : each.repeats,
      })),
      (each) => {
        const { town } = play(each);
        // before the first picture nobody knows what to ask for
        sent += PICTURES - pictureNumber(town.pictures()[0]!);
        relayed += town.pictures().length;
        const [stats] = town.publisher.stats().filter(({ kind }) => kind === 'video');
        assert.ok(stats!.recovered > 0 && stats!.nacks >= stats!.recovered);
      },
    ),
    { numRuns: 40 },
  );
  assert.ok(relayed > 0.97 * sent, `${relayed} of ${sent}`);
});
