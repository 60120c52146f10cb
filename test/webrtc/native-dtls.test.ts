import { makeNativeDtls } from '../../src/webrtc/native-dtls.ts';
import { dtlsContract } from './dtls-contract.ts';
import { dtlsOpensslContract } from './dtls-openssl-contract.ts';

dtlsContract('native', makeNativeDtls, { cookie: false });
dtlsOpensslContract('native', makeNativeDtls);
