/**
 * The first datagram of a DTLS client.
 */
import { randomBytes } from 'node:crypto';
import { systemClock } from '../../src/base/clock.ts';
import { makeCertificate } from '../../src/webrtc/certificate.ts';
import { makeNativeDtls } from '../../src/webrtc/native-dtls.ts';

const own = makeCertificate(Date.UTC(2026, 9, 5), randomBytes);

/** As browsers send it, but for its random bytes always the same. */
export function clientHello(): Buffer {
  let hello: Buffer | undefined;
  const dtls = makeNativeDtls(
    { role: 'client', own, fingerprints: [], clock: systemClock, random: randomBytes },
    {
      send: (datagram) => {
        hello ??= datagram;
      },
      connected: () => {},
      closed: () => {},
    },
  );
  dtls.start();
  dtls.close();
  return hello!;
}
