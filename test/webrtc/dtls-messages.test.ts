import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PeerError } from '../../src/base/errors.ts';
import {
  checkClientHello,
  readCertificate,
  readCertificateVerify,
  readClientHello,
  readClientKeyExchange,
  readHelloVerifyRequest,
  readServerHello,
  readServerKeyExchange,
  withoutCookie,
} from '../../src/webrtc/dtls-messages.ts';

const u16 = (...values: number[]) => Buffer.from(values.flatMap((value) => [value >> 8, value & 255]));
const list = (lengthBytes: 1 | 2, bytes: Buffer) =>
  Buffer.concat([lengthBytes === 1 ? Buffer.of(bytes.length) : u16(bytes.length), bytes]);
const extension = (type: number, data: Buffer) => Buffer.concat([u16(type), list(2, data)]);

const GROUPS = extension(10, list(2, u16(0x11ec, 29, 23)));
const SIGNATURES = extension(13, list(2, u16(0x0403, 0x0401)));
const SRTP = extension(14, Buffer.concat([list(2, u16(1, 8, 7)), Buffer.of(0)]));
const ALL = [GROUPS, SIGNATURES, SRTP];

interface Parts {
  readonly version?: number;
  readonly suites?: Buffer;
  readonly compressions?: Buffer;
  readonly extensions?: readonly Buffer[];
  readonly cookie?: Buffer;
}

function clientHello({ version = 0xfefd, suites, compressions, extensions = ALL, cookie }: Parts = {}): Buffer {
  return Buffer.concat([
    ...[u16(version), Buffer.alloc(32, 9), list(1, Buffer.from('id')), list(1, cookie ?? Buffer.alloc(0))],
    ...[list(2, suites ?? u16(0x1301, 0xc02b)), list(1, compressions ?? Buffer.of(0))],
    list(2, Buffer.concat(extensions)),
  ]);
}

function serverHello({ version = 0xfefd, suite = 0xc02b, compression = 0, extensions = [SRTP_1] } = {}): Buffer {
  return Buffer.concat([
    ...[u16(version), Buffer.alloc(32, 8), list(1, Buffer.alloc(0)), u16(suite), Buffer.of(compression)],
    list(2, Buffer.concat(extensions)),
  ]);
}

const SRTP_1 = extension(14, Buffer.concat([list(2, u16(1)), Buffer.of(0)]));

function is(code: string) {
  return (error: unknown) => error instanceof PeerError && error.code === code;
}

test('a hello that offers what we need', () => {
  const hello = readClientHello(
    clientHello({ cookie: Buffer.from('cookie'), extensions: [...ALL, extension(23, Buffer.alloc(0))] }),
  );
  checkClientHello(hello);
  assert.deepEqual(hello.random, Buffer.alloc(32, 9));
  assert.deepEqual(hello.cookie, Buffer.from('cookie'));
  assert.equal(hello.extendedMasterSecret, true);
  assert.equal(readClientHello(clientHello()).extendedMasterSecret, false);
  checkClientHello(readClientHello(clientHello({ version: 0xfefc })));
});

test('a cookie is taken out, and nothing else', () => {
  assert.deepEqual(withoutCookie(clientHello({ cookie: Buffer.from('cookie') })), clientHello());
  assert.deepEqual(withoutCookie(clientHello()), clientHello());
});

test('a hello without DTLS 1.2', () => {
  const only13 = extension(43, list(1, u16(0xfefc)));
  const both = extension(43, list(1, u16(0xfefc, 0xfefd)));
  checkClientHello(readClientHello(clientHello({ extensions: [...ALL, both] })));
  for (const parts of [{ version: 0xfeff }, { version: 0xffff }, { extensions: [...ALL, only13] }]) {
    assert.throws(() => checkClientHello(readClientHello(clientHello(parts))), is('webrtc/dtls-version'));
  }
});

test('a hello that lacks something, and what it lacks', () => {
  const lacks: readonly (readonly [Parts, RegExp])[] = [
    [{ suites: u16(0xc02f, 0xc02c) }, /ECDHE-ECDSA-AES128-GCM/],
    [{ compressions: Buffer.of(1) }, /uncompressed/],
    [{ extensions: [SIGNATURES, SRTP] }, /groups/],
    [{ extensions: [extension(10, list(2, u16(24))), SIGNATURES, SRTP] }, /groups/],
    [{ extensions: [GROUPS, SRTP] }, /ECDSA with SHA-256/],
    [{ extensions: [GROUPS, extension(13, list(2, u16(0x0401, 0x0503))), SRTP] }, /ECDSA with SHA-256/],
    [{ extensions: [GROUPS, SIGNATURES] }, /SRTP/],
    [{ extensions: [GROUPS, SIGNATURES, extension(14, Buffer.concat([list(2, u16(2, 8)), Buffer.of(0)]))] }, /SRTP/],
  ];
  for (const [parts, words] of lacks) {
    assert.throws(
      () => checkClientHello(readClientHello(clientHello(parts))),
      (error) => is('webrtc/dtls-parameters')(error) && words.test((error as Error).message),
    );
  }
});

test('what the server chose', () => {
  const [random, profile] = [Buffer.alloc(32, 8), 'aes128-cm-sha1-80'];
  assert.deepEqual(readServerHello(serverHello()), { random, profile, extendedMasterSecret: false });
  const extended = serverHello({ extensions: [SRTP_1, extension(23, Buffer.alloc(0))] });
  assert.deepEqual(readServerHello(extended), { random, profile, extendedMasterSecret: true });
  assert.throws(() => readServerHello(serverHello({ version: 0xfeff })), is('webrtc/dtls-version'));
  for (const parts of [{ suite: 0x1301 }, { compression: 1 }, { extensions: [] }, { extensions: [SRTP] }]) {
    assert.throws(() => readServerHello(serverHello(parts)), is('webrtc/dtls-parameters'));
  }
});

test('certificates, and none', () => {
  const one = Buffer.from([0, 0, 3, 1, 2, 3]);
  const two = Buffer.from([0, 0, 1, 9]);
  assert.deepEqual(readCertificate(Buffer.concat([Buffer.from([0, 0, 10]), one, two])), Buffer.from([1, 2, 3]));
  assert.deepEqual(readCertificate(Buffer.from([0, 0, 0])), Buffer.alloc(0));
});

test('signatures, and what they are over', () => {
  const params = Buffer.concat([Buffer.of(3), u16(29), list(1, Buffer.alloc(32, 7))]);
  const signed = Buffer.concat([u16(0x0403), list(2, Buffer.from('signature'))]);
  const algorithm = 0x0403;
  const signature = Buffer.from('signature');
  assert.deepEqual(readServerKeyExchange(Buffer.concat([params, signed])), {
    ...{ group: 29, publicKey: Buffer.alloc(32, 7) },
    ...{ content: params, algorithm, signature },
  });
  assert.deepEqual(readCertificateVerify(signed), { algorithm, signature });
  for (const curve of [
    [1, 29],
    [3, 24],
  ] as const) {
    const odd = Buffer.concat([Buffer.of(curve[0]), u16(curve[1]), list(1, Buffer.alloc(32)), signed]);
    assert.throws(() => readServerKeyExchange(odd), is('webrtc/dtls-parameters'));
  }
});

test('a cookie, and a public key', () => {
  assert.deepEqual(readHelloVerifyRequest(Buffer.from([0xfe, 0xff, 2, 8, 9])), Buffer.from([8, 9]));
  assert.deepEqual(readClientKeyExchange(Buffer.from([2, 8, 9])), Buffer.from([8, 9]));
});

test('a message that is cut, drawn out or says a thing twice', () => {
  const readers: readonly (readonly [(body: Buffer) => unknown, Buffer])[] = [
    [readClientHello, clientHello()],
    [readServerHello, serverHello()],
    [readCertificate, Buffer.from([0, 0, 4, 0, 0, 1, 5])],
    [readCertificateVerify, Buffer.concat([u16(0x0403), list(2, Buffer.from('s'))])],
    [readHelloVerifyRequest, Buffer.from([0xfe, 0xfd, 2, 8, 9])],
    [readClientKeyExchange, Buffer.from([2, 8, 9])],
  ];
  for (const [read, body] of readers) {
    read(body);
    assert.throws(() => read(Buffer.concat([body, Buffer.of(0)])), is('webrtc/dtls-handshake'), read.name);
    for (let length = 0; length < body.length; length++) {
      // a hello may end before its extensions (RFC 5246 section 7.4.1.2)
      if (read === readClientHello && length === body.length - list(2, Buffer.concat(ALL)).length) continue;
      assert.throws(() => read(body.subarray(0, length)), PeerError, `${read.name} ${length}`);
    }
  }
  assert.throws(() => readClientHello(clientHello({ extensions: [...ALL, SRTP] })), is('webrtc/dtls-handshake'));
  assert.throws(
    () => readClientHello(clientHello({ suites: Buffer.from([0xc0, 0x2b, 0]) })),
    is('webrtc/dtls-handshake'),
  );
});

test('calm: any bytes are a message or the fault of the peer', () => {
  const readers = [
    readClientHello,
    readServerHello,
    readCertificate,
    readServerKeyExchange,
    readCertificateVerify,
    readHelloVerifyRequest,
    readClientKeyExchange,
    withoutCookie,
  ];
  fc.assert(
    fc.property(fc.constantFrom(...readers), fc.uint8Array({ maxLength: 300 }), (read, bytes) => {
      try {
        const said = read(Buffer.from(bytes));
        if ('suites' in said) checkClientHello(said);
      } catch (error) {
        assert.ok(error instanceof PeerError, String(error));
      }
    }),
    { numRuns: 3000 },
  );
});
