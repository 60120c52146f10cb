import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ATTRIBUTE,
  addressBytes,
  errorCode,
  findAttribute,
  hasIntegrity,
  MAX_STUN_BYTES,
  readStun,
  STUN,
  StunKey,
  type StunMessage,
  unknownAttributes,
  writeStun,
  xorAddress,
} from '../../src/webrtc/stun.ts';
import { CLIENT, checkOf, readAnswer } from '../helpers/stun-client.ts';

/** RFC 5769 sections 2.1 to 2.3. */
const PASSWORD = 'VOkJxbRl1RmTxUk/WvJxBt';
const REQUEST = Buffer.from(
  '000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74' +
    '002400046e0001ff80290008932ff9b151263b36000600096576746a3a683676592020200008001' +
    '49aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf',
  'hex',
);
const RESPONSE_V4 = Buffer.from(
  '0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147e112a643' +
    '000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96',
  'hex',
);
const RESPONSE_V6 = Buffer.from(
  '010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000140002a147' +
    '0113a9faa5d3f179bc25f4b5bed2b9d900080014a382954e4be67bf11784c97c8292c275bfe3ed4180280004c8fb0b4c',
  'hex',
);

function attributeValue(message: StunMessage, type: number): Buffer {
  const { start, end } = findAttribute(message, type)!;
  return message.bytes.subarray(start, end);
}

test('reads the request of RFC 5769', () => {
  const request = readStun(REQUEST)!;
  assert.equal(request.type, STUN.request);
  assert.equal(request.transaction.toString('hex'), 'b7e7a701bc34d686fa87dfae');
  assert.equal(attributeValue(request, ATTRIBUTE.username).toString(), 'evtj:h6vY');
  assert.equal(attributeValue(request, ATTRIBUTE.priority).readUInt32BE(), 0x6e0001ff);
  assert.ok(findAttribute(request, ATTRIBUTE.iceControlled));
  assert.equal(findAttribute(request, ATTRIBUTE.useCandidate), undefined);
  assert.deepEqual(unknownAttributes(request), []);
  assert.equal(hasIntegrity(request, new StunKey(PASSWORD)), true);
  assert.equal(hasIntegrity(request, new StunKey(`${PASSWORD}.`)), false);
});

for (const [name, bytes, ip] of [
  ['IPv4', RESPONSE_V4, '192.0.2.1'],
  ['IPv6', RESPONSE_V6, '2001:db8:1234:5678:11:2233:4455:6677'],
] as const) {
  test(`reads and writes the ${name} response of RFC 5769`, () => {
    const response = readStun(bytes)!;
    assert.equal(response.type, STUN.success);
    const key = new StunKey(PASSWORD);
    assert.equal(hasIntegrity(response, key), true);
    const mapped = xorAddress(addressBytes(ip)!, 32_853, response.transaction);
    assert.deepEqual(attributeValue(response, ATTRIBUTE.xorMappedAddress), mapped);
    // the example pads with blanks, which the integrity covers: all but its text is written the same
    const written = writeStun(STUN.success, response.transaction, [[ATTRIBUTE.xorMappedAddress, mapped]], key);
    const again = readAnswer(written, PASSWORD);
    assert.equal(again.transaction, 'b7e7a701bc34d686fa87dfae');
    assert.match(again.mapped!, / 32853$/);
    assert.equal(hasIntegrity(readStun(written)!, key), true);
  });
}

test('writes an error as it is read', () => {
  const { transaction } = readStun(REQUEST)!;
  const bytes = writeStun(STUN.error, transaction, [[ATTRIBUTE.errorCode, errorCode(487)]], new StunKey(PASSWORD));
  const { type, code } = readAnswer(bytes, PASSWORD);
  assert.deepEqual({ type, code }, { type: STUN.error, code: 487 });
});

test('a message without a key carries a fingerprint only', () => {
  const message = readStun(writeStun(STUN.request, Buffer.alloc(12, 5), []))!;
  assert.equal(message.integrityAt, 0);
  assert.equal(hasIntegrity(message, new StunKey(PASSWORD)), false);
});

test('a long password is hashed first, as HMAC wants it', () => {
  const password = 'p'.repeat(100);
  const check = checkOf({ ufrag: 'u', password });
  assert.equal(hasIntegrity(readStun(check)!, new StunKey(password)), true);
});

test('any changed bit is noticed', () => {
  const key = new StunKey(CLIENT.password);
  const check = checkOf({ ufrag: 'server', password: CLIENT.password }, { fingerprint: false });
  for (let bit = 0; bit < 8 * check.length; bit++) {
    const bytes = Buffer.from(check);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    const message = readStun(bytes);
    assert.equal(message !== undefined && hasIntegrity(message, key), false, `bit ${bit}`);
  }
});

test('nobody vouches for what follows the integrity', () => {
  const check = checkOf({ ufrag: 'server', password: CLIENT.password }, { fingerprint: false });
  const added = Buffer.concat([check, Buffer.from('00250000', 'hex')]);
  added.writeUInt16BE(added.length - 20, 2);
  const message = readStun(added)!;
  assert.equal(hasIntegrity(message, new StunKey(CLIENT.password)), true);
  assert.equal(findAttribute(message, ATTRIBUTE.useCandidate), undefined);
});

const wrong: readonly (readonly [what: string, change: (bytes: Buffer) => Buffer])[] = [
  ['cut off', (bytes) => bytes.subarray(0, bytes.length - 1)],
  ['a header only in part', (bytes) => bytes.subarray(0, 19)],
  ['longer than it says', (bytes) => Buffer.concat([bytes, Buffer.alloc(4)])],
  ['another cookie', (bytes) => Buffer.from(bytes).fill(0, 4, 5)],
  ['a first byte that is not STUN', (bytes) => Buffer.from(bytes).fill(4, 0, 1)],
  ['a wrong fingerprint', (bytes) => Buffer.from(bytes).fill(0, bytes.length - 1)],
  ['an attribute longer than the message', (bytes) => Buffer.from(bytes).fill(0xff, 22, 24)],
];
for (const [what, change] of wrong) {
  test(`is no message: ${what}`, () => {
    assert.notEqual(readStun(REQUEST), undefined);
    assert.equal(readStun(change(Buffer.from(REQUEST))), undefined);
  });
}

test('is no message: longer, or of more attributes, than any check', () => {
  const long = writeStun(STUN.request, Buffer.alloc(12), [[0xc001, Buffer.alloc(MAX_STUN_BYTES)]]);
  assert.equal(readStun(long), undefined);
  const many = (count: number) =>
    readStun(writeStun(STUN.request, Buffer.alloc(12), Array(count).fill([0xc001, Buffer.alloc(0)])));
  assert.equal(many(32)!.attributes.length, 32);
  assert.equal(many(33), undefined);
});

test('attributes of which we know nothing: only those that must be understood count', () => {
  const extra = [
    [0xc057, Buffer.alloc(4)] as const,
    [0x7fff, Buffer.alloc(1)] as const,
    [0x0026, Buffer.alloc(0)] as const,
  ];
  const message = readStun(checkOf({ ufrag: 's', password: 'p' }, { extra }))!;
  assert.deepEqual(unknownAttributes(message), [0x7fff, 0x0026]);
});

for (const [text, hex] of [
  ['192.0.2.1', 'c0000201'],
  ['::', '00000000000000000000000000000000'],
  ['::1', '00000000000000000000000000000001'],
  ['2001:db8::', '20010db8000000000000000000000000'],
  ['2001:db8:0:0:1::2', '20010db8000000000001000000000002'],
  ['64:ff9b::192.0.2.33', '0064ff9b0000000000000000c0000221'],
  ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
  ['fe80::1%eth0', undefined],
  ['example.org', undefined],
  ['', undefined],
] as const) {
  test(`bytes of the address "${text}"`, () => assert.equal(addressBytes(text)?.toString('hex'), hex));
}
