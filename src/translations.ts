/**
 * Streams with their sound or their pictures in another codec: who makes them, and for which applications.
 */
import type { Clock } from './base/clock.ts';
import { ERRORS } from './base/error-table.ts';
import type { Logger } from './base/log.ts';
import { type AudioBridge, makeTranscoders } from './media/audio-bridge/transcoders.ts';
import { PictureEncoders } from './media/picture-bridge/picture-encoders.ts';
import type { Policy } from './policy.ts';
import { Renditions } from './relay/renditions.ts';

export interface TranslationsSetup {
  readonly clock: Clock;
  readonly log: Logger;
  readonly policy: Policy;
}

export class Translations {
  readonly sound: AudioBridge;
  readonly pictures: PictureEncoders;
  readonly renditions: Renditions;
  readonly #log: Logger;
  readonly #policy: Policy;

  constructor({ clock, log, policy }: TranslationsSetup) {
    this.#log = log;
    this.#policy = policy;
    this.sound = makeTranscoders({ clock, log });
    this.pictures = new PictureEncoders({ clock });
    this.renditions = new Renditions({
      ...{ clock, sound: this.sound, pictures: this.pictures },
      limits: (app) => policy.gopLimits(app),
      // sound that fails costs its listeners the sound, not the picture
      failed: ({ app, name }, to, code, reason) => {
        const what = to === 'h264' ? 'pictures are not re-encoded' : 'sound is not translated';
        log.warn({ code, app, stream: name, to, reason }, what);
      },
    });
  }

  /** Tries ffmpeg where the settings in force want it, and says when it is of no use. */
  async prepare(): Promise<void> {
    if (!this.#policy.reencodesAny || this.pictures.able) return;
    const reason = await this.pictures.look();
    if (reason === undefined) return;
    const { fix } = ERRORS['media/encoder']!;
    this.#log.warn({ code: 'media/encoder', reason }, `webRtcReencode: auto is without effect. ${fix}`);
  }

  /** Are pictures that browsers cannot show re-encoded for viewers of `app`? */
  reencodes(app: string): boolean {
    return this.pictures.able && this.#policy.application(app)?.webRtcReencode === 'auto';
  }

  async close(): Promise<void> {
    await Promise.all([this.sound.close(), this.pictures.close()]);
  }
}
