/**
 * WHIP, WHEP and Wowza's WebSocket at the HTTP door, and so on the RTMP port, which hands HTTP over to it.
 */
import type { Clock } from './base/clock.ts';
import type { Logger } from './base/log.ts';
import type { SiteServer } from './http/http-server.ts';
import type { WebRtcServer } from './webrtc/server.ts';
import { whipRoutes } from './webrtc/whip.ts';
import { type WowzaSockets, wowzaSockets } from './webrtc/wowza-signalling.ts';

/** Before the site listens. The sockets are the caller's to close. */
export function openSignalling(site: SiteServer, webrtc: WebRtcServer, clock: Clock, log: Logger): WowzaSockets {
  const { endpoint } = webrtc;
  site.register(whipRoutes(endpoint));
  const starting = (app: string, stream: string) => webrtc.starting(app, stream);
  const sockets = wowzaSockets(endpoint, { clock, log, starting });
  site.takeUpgrades(sockets);
  return sockets;
}
