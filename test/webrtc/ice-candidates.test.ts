import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CandidateSources, makeCandidates } from '../../src/webrtc/ice-candidates.ts';

const EVERYWHERE = { host: '', port: 8_189 };
const MACHINE = ['127.0.0.1', '::1', 'fe80::5', '2001:db8::5', '169.254.3.4', '192.0.2.5', '10.0.0.5'];

function told(sources: Partial<CandidateSources>): string[] {
  return makeCandidates({ udp: EVERYWHERE, tcp: undefined, publicAddresses: [], interfaces: MACHINE, ...sources }).map(
    ({ protocol, ip, port }) => `${protocol} ${ip} ${port}`,
  );
}

const cases: readonly (readonly [what: string, sources: Partial<CandidateSources>, expected: readonly string[]])[] = [
  [
    'the interfaces, IPv4 first, loopback last, link-local not at all',
    {},
    ['udp 192.0.2.5 8189', 'udp 10.0.0.5 8189', 'udp 2001:db8::5 8189', 'udp 127.0.0.1 8189', 'udp ::1 8189'],
  ],
  [
    'public addresses come first, and keep loopback away',
    { publicAddresses: ['203.0.113.1', '10.0.0.5'] },
    ['udp 203.0.113.1 8189', 'udp 10.0.0.5 8189', 'udp 192.0.2.5 8189', 'udp 2001:db8::5 8189'],
  ],
  ['public addresses alone', { publicAddresses: ['203.0.113.1'], interfaces: undefined }, ['udp 203.0.113.1 8189']],
  ['a given host alone', { udp: { host: '127.0.0.1', port: 9 } }, ['udp 127.0.0.1 9']],
  ['a given host behind a translation', { udp: { host: '10.0.0.5', port: 9 }, interfaces: undefined }, []],
  [
    'a machine or a port without IPv6',
    { udp: { host: '0.0.0.0', port: 9 } },
    ['udp 192.0.2.5 9', 'udp 10.0.0.5 9', 'udp 127.0.0.1 9'],
  ],
  ['IPv6 alone', { udp: { host: '::', port: 9 } }, ['udp 2001:db8::5 9', 'udp ::1 9']],
  [
    'TCP after UDP',
    { tcp: { host: '', port: 443 }, interfaces: ['10.0.0.5', '10.0.0.6'] },
    ['udp 10.0.0.5 8189', 'udp 10.0.0.6 8189', 'tcp 10.0.0.5 443', 'tcp 10.0.0.6 443'],
  ],
  ['nothing is open', { udp: undefined }, []],
];
for (const [what, sources, expected] of cases) test(what, () => assert.deepEqual(told(sources), expected));

test('priorities fall from the first to the last, are whole, fit 31 bits, and differ; so do foundations', () => {
  const candidates = makeCandidates({
    ...{ udp: EVERYWHERE, tcp: EVERYWHERE, publicAddresses: ['203.0.113.1'], interfaces: MACHINE },
  });
  const priorities = candidates.map(({ priority }) => priority);
  assert.deepEqual(
    priorities,
    [...new Set(priorities)].sort((one, other) => other - one),
  );
  // type preference 126, local preference 65535, component 1 (RFC 8445 section 5.1.2.1)
  assert.equal(priorities[0], 2_130_706_431);
  for (const priority of priorities) assert.ok(Number.isInteger(priority) && priority > 0 && priority < 2 ** 31);
  assert.equal(new Set(candidates.map(({ foundation }) => foundation)).size, candidates.length);
});

test('a machine of many networks tells some', () => {
  const interfaces = Array.from({ length: 60 }, (_, index) => `10.0.${index}.1`);
  assert.equal(told({ interfaces }).length, 16);
});
