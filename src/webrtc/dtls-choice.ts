/**
 * Which DTLS there is: our own, or werift's, whose three dozen packages are loaded for nobody else.
 */
import type { MakeDtls } from './dtls.ts';
import { makeNativeDtls } from './native-dtls.ts';
import type { DtlsKind } from './options.ts';

export async function loadDtls(kind: DtlsKind): Promise<MakeDtls> {
  if (kind === 'native') return makeNativeDtls;
  const { makeWeriftDtls } = await import('./werift-dtls.ts');
  return makeWeriftDtls;
}
