/**
 * Looks up each name once at a time. The system looks up four names at once, in the threads that write files as well: sixty logins
 * at a site whose DNS is silent would occupy them all, and keep every other site and the journal waiting.
 */
import type { LookupFunction } from 'node:net';

type Callback = Parameters<LookupFunction>[2];

/** As `lookUp`; whoever asks while the same is being looked up gets the answer to that. */
export function sharedLookup(lookUp: LookupFunction): LookupFunction {
  const waiting = new Map<string, Callback[]>();
  return (host, options, callback) => {
    const key = JSON.stringify([host, options]);
    const others = waiting.get(key);
    if (others !== undefined) {
      others.push(callback);
      return;
    }
    const callbacks = [callback];
    waiting.set(key, callbacks);
    lookUp(host, options, (...answer) => {
      waiting.delete(key);
      for (const each of callbacks) each(...answer);
    });
  };
}
