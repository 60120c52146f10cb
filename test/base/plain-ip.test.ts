import assert from 'node:assert/strict';
import { test } from 'node:test';
import { networkOf, plainIp } from '../../src/base/plain-ip.ts';

const NETWORKS: readonly (readonly [ip: string, network: string])[] = [
  ['', ''],
  ['192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
  ['2001:db8:1:3::1', '2001:db8:1:3::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['2001:db8::2:3:4:5:6', '2001:db8:0:2::/64'],
  ['::1', '0:0:0:0::/64'],
  ['::2:3:4:5:6:7:8', '0:2:3:4::/64'],
  ['1:2:3:4:5:6:7::', '1:2:3:4::/64'],
  ['64:ff9b::192.0.2.33', '64:ff9b:0:0::/64'],
];

for (const [ip, network] of NETWORKS) {
  test(`the network of ${JSON.stringify(ip)}`, () => {
    assert.equal(networkOf(ip), network);
  });
}

test('an IPv4 address in IPv6 clothes, and a zone', () => {
  assert.equal(networkOf(plainIp('::ffff:192.0.2.1')), '192.0.2.1');
  assert.equal(networkOf(plainIp('fe80::1:2:3:4%eth0')), 'fe80:0:0:0::/64');
});
