/**
 * What does one connectivity check cost, from the datagram to the answer? A viewer sends one every half second to five seconds; and
 * what does a stranger's cost, who knows no name, or a name and no password?
 */
import { FakeRemote, IceTown } from '../../test/helpers/ice-town.ts';
import { checkOf } from '../../test/helpers/stun-client.ts';
import { print, secondsPerRound } from './measure.ts';

const CHECKS = 64;
const ROUNDS = 16;

const town = new IceTown();
const { session } = town.open();

/** Takes its answers and keeps none. */
class SilentRemote extends FakeRemote {
  override send(): void {}
}

for (const [name, remote] of [
  ['IPv4', new SilentRemote()],
  ['IPv6', new SilentRemote(40_001, '2001:db8::7')],
] as const) {
  figure(`a check answered, ${name}`, remote, () => checkOf(session.local, { nominate: true }));
}
const stranger = new SilentRemote(40_002);
figure('a check with a wrong password', stranger, () => checkOf(session.local, { password: 'wrong' }));
figure('a check for nobody', stranger, () => checkOf({ ufrag: 'nobody', password: 'none' }));

function figure(name: string, remote: FakeRemote, make: () => Buffer): void {
  const checks = Array.from({ length: CHECKS }, make);
  const seconds = secondsPerRound(() => {
    for (let round = 0; round < ROUNDS; round++) for (const bytes of checks) town.receive(bytes, remote);
  });
  print({ name, value: (seconds / (ROUNDS * CHECKS)) * 1e6, unit: 'us' });
}
