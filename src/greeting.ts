/**
 * What the page for the public says about this server.
 */
import type { Addresses } from './banner.ts';
import type { Greeting } from './http/views.ts';
import type { Policy } from './policy.ts';

export interface Greeter {
  readonly version: string;
  /** Can browsers publish and watch? */
  readonly webrtc: boolean;
  readonly policy: Policy;
}

export function greetingOf({ version, webrtc, policy }: Greeter, { rtmp, rtmps, https }: Addresses): Greeting {
  const ports = { rtmpPort: rtmp?.port, rtmpsPort: rtmps?.port, httpsPort: https?.port };
  return { version, webrtc, ...ports, ...policy.example() };
}
