/**
 * What the main thread and the worker say to each other. Bytes are handed over, not copied.
 */
import type { BridgedCodec } from '../transcoder.ts';
import type { Sound } from './bridge.ts';

export type ToWorker =
  | { readonly kind: 'start'; readonly stream: number; readonly to: BridgedCodec; readonly ffmpeg: string }
  | { readonly kind: 'write'; readonly stream: number; readonly sound: Sound }
  | { readonly kind: 'close'; readonly stream: number }
  /** The last message: close all streams and go. */
  | { readonly kind: 'end' };

export type FromWorker =
  /** What came out; with `done` it is the answer to one write. */
  | { readonly kind: 'sounds'; readonly stream: number; readonly done: 0 | 1; readonly sounds: readonly Sound[] }
  | { readonly kind: 'failed'; readonly stream: number; readonly code: string; readonly text: string };
