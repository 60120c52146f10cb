/**
 * One stream's way from one codec to the other, as the worker runs it.
 */
import type { Micros } from '../frame.ts';

/** A configuration or a unit, in either direction. */
export interface Sound {
  readonly config: boolean;
  readonly time: Micros;
  readonly data: Uint8Array<ArrayBuffer>;
}

/** Gets what comes out, in order; a configuration first. */
export interface BridgeEvents {
  sound(sound: Sound): void;
  /** What runs beside the worker has failed; nothing more will come. */
  failed(code: string, text: string): void;
}

export interface Bridge {
  /** Throws PeerError when it cannot go on. One call at a time. */
  write(sound: Sound): void | Promise<void>;
  close(): void;
}
