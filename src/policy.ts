/**
 * What the configuration in force says about an application, as the rooms ask it.
 */
import type { ApplicationOptions } from './config/application-schema.ts';
import type { Config } from './config/schema.ts';
import { GOP_DEFAULTS, type GopLimits } from './relay/gop-cache.ts';
import type { WriteWindow } from './rtmp/options.ts';
import { listedName } from './session/application-name.ts';

export class Policy {
  /** Replaced on reload. */
  config: Config;

  constructor(config: Config) {
    this.config = config;
  }

  /** Undefined: there is no such application. */
  application(app: string): ApplicationOptions | undefined {
    const { applications, anyApplication } = this.config;
    const listed = listedName(applications, app);
    return listed === undefined ? anyApplication : applications.get(listed);
  }

  writeWindow(app: string): WriteWindow {
    return this.application(app)?.writeWindow ?? this.config.rtmp.writeWindow;
  }

  gopLimits(app: string): GopLimits {
    const { gopCacheSize, gopCacheTime, gopCache } = this.config.rtmp;
    const enabled = this.application(app)?.gopCache ?? gopCache;
    return { ...GOP_DEFAULTS, enabled, maxBytes: gopCacheSize, maxMicros: gopCacheTime * 1_000 };
  }

  /** Does any application want pictures re-encoded? */
  get reencodesAny(): boolean {
    return [...this.config.applications.values()].some(({ webRtcReencode }) => webRtcReencode === 'auto');
  }

  /** Where everybody may watch, everybody may know what there is. */
  isOpen(app: string): boolean {
    const options = this.application(app);
    return options !== undefined && options.webLogin === '' && options.webKey === '';
  }

  /** An application to show how it is done, an open one if there is any. */
  example(): { readonly app: string; readonly webControlled: boolean; readonly partlyControlled: boolean } {
    const names = [...this.config.applications.keys()];
    if (names.length === 0) names.push('live');
    const app = names.find((name) => this.isOpen(name)) ?? names[0]!;
    return { app, webControlled: !this.isOpen(app), partlyControlled: names.some((name) => !this.isOpen(name)) };
  }
}
