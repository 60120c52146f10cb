/**
 * Picks the cheapest transport that a socket allows.
 */
import type { Socket } from 'node:net';
import { HandleTransport } from './handle-transport.ts';
import { StreamTransport } from './stream-transport.ts';
import type { Transport, TransportEvents } from './transport.ts';

/** Takes over a connected socket, paused. Reading starts with `resume`. `bare: false` keeps to public API. */
export function openTransport(socket: Socket, events: TransportEvents, bare = true): Transport {
  socket.setNoDelay(true);
  return (bare ? HandleTransport.over(socket, events) : undefined) ?? new StreamTransport(socket, events);
}
