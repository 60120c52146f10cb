/**
 * Where a viewer's frames come from: a stream, or a rendition of one.
 */
import type { Frame } from '../media/frame.ts';
import type { Subscriber, Subscription } from './stream.ts';

export interface Source {
  readonly app: string;
  readonly name: string;
  readonly live: boolean;
  /** What a decoder needs to start now, in order: metadata, configurations, then the frames since the last key frame. */
  replay(): readonly Frame[];
  /** Metadata and configurations in force. */
  configs(): readonly Frame[];
  /** For the frames to come; consistent with `replay` in the same turn. */
  subscribe(subscriber: Subscriber): Subscription;
}
