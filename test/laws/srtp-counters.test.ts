/**
 * Counters: whatever viewers do, no keystream is ever laid over two texts. Every packet sent is, bit for bit, what Node's own CTR and
 * HMAC (or GCM) make of a plain packet under the index that a receiver derives by RFC 3711 section 3.3.1; an index that comes again
 * brings the same text; and a viewer's own packets are numbered without a gap.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { SrtpProfile } from '../../src/webrtc/srtp-keys.ts';
import { protectedBy, SrtpListener, srtpKeys } from '../helpers/srtp-reference.ts';
import {
  audioFrame,
  type Got,
  RTX_TYPE,
  type Terms,
  ViewerTown,
  videoFrame,
  type Watcher,
} from '../helpers/viewer-town.ts';

interface Guest {
  readonly watcher: Watcher;
  readonly media: Map<number, Got[]>;
}

type Action = { readonly [key in string]: number } & { readonly does: number };

const PROFILES: readonly SrtpProfile[] = ['aes128-cm-sha1-80', 'aes128-cm-sha1-80', 'aead-aes-128-gcm'];
const actions = fc.array(
  fc.record({ does: fc.nat(99), who: fc.nat(20), size: fc.nat(20_000), pick: fc.nat(60), gap: fc.nat(120) }),
  { minLength: 20, maxLength: 120 },
);

class House {
  readonly town: ViewerTown;
  readonly guests: Guest[] = [];
  #number = 0;
  #millis = 0;

  constructor(seed: number) {
    this.town = new ViewerTown(seed);
    this.town.publish();
  }

  act({ does, who, size, pick, gap }: Action): void {
    const { town, guests } = this;
    const guest = guests[who! % Math.max(1, guests.length)];
    if (does < 8) this.#enter(who!, pick!);
    else if (does < 50) this.#picture(size!, does < 12 ? 'key' : 'delta');
    else if (does < 60) town.write(audioFrame(this.#number++, this.#millis, 8 + (size! % 300)));
    else if (guest === undefined) return;
    else if (does < 75) this.#nack(guest, pick!, gap!);
    else if (does < 80) guest.watcher.say({ type: 'pli', sender: 1, media: town.audiences.sources.video });
    else if (does < 84) guest.watcher.path.queuedBytes = guest.watcher.path.queuedBytes === 0 ? 1 << 20 : 0;
    else if (does < 86) this.#leave(guest);
    else if (does < 88) this.#again();
    else town.clock.advance(gap!);
    for (const each of guests) this.#check(each);
  }

  /** All that is due has been sent and checked. */
  settle(): void {
    for (const { watcher } of this.guests) watcher.path.queuedBytes = 0;
    this.town.clock.advance(2_000);
    for (const guest of this.guests) this.#check(guest);
  }

  #enter(who: number, pick: number): void {
    const terms: Terms = {
      ...{ rtx: pick % 2 === 0, audio: pick % 3 > 0, playoutDelay: pick % 5 === 0 ? 3 : undefined },
      videoType: 96 + (pick % 7),
    };
    const watcher = this.town.watch(terms, srtpKeys(PROFILES[who % PROFILES.length]));
    this.guests.push({ watcher, media: new Map() });
  }

  #picture(size: number, role: 'key' | 'delta'): void {
    this.#millis += 40;
    this.town.write(videoFrame(role, this.#number++, this.#millis, size));
    this.town.clock.advance(size % 7);
  }

  /** Of packets that came, or that never were. */
  #nack({ watcher, media }: Guest, pick: number, gap: number): void {
    for (const ssrc of [this.town.audiences.sources.video, this.town.audiences.sources.audio]) {
      const got = media.get(ssrc) ?? [];
      const lost = got.slice(-pick).map(({ index }) => index & 0xffff);
      watcher.say({
        type: 'nack',
        sender: 1,
        media: ssrc,
        lost: [...lost, (gap * 547) & 0xffff, (gap + (lost.at(-1) ?? 0)) & 0xffff],
      });
    }
  }

  #leave(guest: Guest): void {
    this.#check(guest);
    guest.watcher.viewer.leave();
    this.guests.splice(this.guests.indexOf(guest), 1);
  }

  #again(): void {
    this.town.unpublish();
    this.#millis = 0;
    this.town.publish();
  }

  /** The packets themselves are checked by the listener in `take`. */
  #check({ watcher, media }: Guest): void {
    for (const packet of watcher.take()) {
      let got = media.get(packet.ssrc);
      if (got === undefined) {
        got = [];
        media.set(packet.ssrc, got);
      }
      const last = got.at(-1);
      if (last === undefined || packet.index === last.index + 1) got.push(packet);
      else {
        assert.notEqual(packet.payloadType, RTX_TYPE, 'retransmissions have numbers without a gap');
        assert.ok(packet.index <= last.index, `from ${last.index} to ${packet.index}`);
      }
    }
  }
}

test('no counter ever meets two texts', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 31 }), actions, (seed, todo) => {
      const house = new House(seed);
      for (const action of todo) house.act(action as Action);
      house.settle();
    }),
    { numRuns: 60 },
  );
});

test('beyond the wrap of the sequence numbers, sent again or not', () => {
  for (const profile of PROFILES.slice(1)) {
    const town = new ViewerTown(3);
    town.publish();
    const watcher = town.watch({ audio: false, rtx: false }, srtpKeys(profile));
    const media = town.audiences.sources.video;
    let highest = 0;
    for (let number = 0; highest < 65_536 + 300; number++) {
      town.write(videoFrame(number % 50 === 0 ? 'key' : 'delta', number, number * 40, 32_000));
      town.clock.advance(40);
      // what is far from the wrap is not worth the reference's time
      const near = Math.abs(highest - 65_536) < 600;
      if (!near) {
        highest += watcher.path.take().length;
        if (number === 0) highest += watcher.viewer.video!.index - watcher.viewer.video!.packets;
        continue;
      }
      const got = watcher.take();
      highest = Math.max(highest, ...got.map(({ index }) => index));
      watcher.say({ type: 'nack', sender: 1, media, lost: got.slice(3, 9).map(({ index }) => index & 0xffff) });
      assert.deepEqual(watcher.take(), got.slice(3, 9));
    }
  }
});

test('the listener notices a counter that meets another text', () => {
  const keys = srtpKeys();
  const listener = new SrtpListener(keys);
  const packet = (fill: number) =>
    Buffer.concat([Buffer.from('80600000000000000000002a', 'hex'), Buffer.alloc(30, fill)]);
  listener.receive(protectedBy(keys, packet(1), 7));
  listener.receive(protectedBy(keys, packet(1), 7));
  assert.throws(() => listener.receive(protectedBy(keys, packet(2), 7)), /another text/);
});
