import { makeWeriftDtls } from '../../src/webrtc/werift-dtls.ts';
import { dtlsContract } from './dtls-contract.ts';
import { dtlsOpensslContract } from './dtls-openssl-contract.ts';

dtlsContract('werift', makeWeriftDtls);
dtlsOpensslContract('werift', makeWeriftDtls);
