/**
 * Where a viewer's frames come from: a stream, or a rendition of one.
 */
import type { Frame } from '../media/frame.ts';
import type { Subscriber, Subscription } from './stream.ts';

export interface Source {
  readonly app: string;
  readonly name: string;
  readonly live: boolean;
  /** Why there are no pictures, where they have to be made first and cannot; undefined: there are, or will be. */
  readonly failure?: { readonly code: string; readonly reason: string } | undefined;
  /** What a decoder needs to start now, in order: metadata, configurations, then the frames since the last key frame. */
  replay(): readonly Frame[];
  /** Metadata and configurations in force. */
  configs(): readonly Frame[];
  /** For the frames to come; consistent with `replay` in the same turn. */
  subscribe(subscriber: Subscriber): Subscription;
}
