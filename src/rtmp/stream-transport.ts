/**
 * A connection by public API alone: for TLS, and for a Node whose handles look different.
 */
import type { Socket } from 'node:net';
import type { Transport, TransportEvents } from './transport.ts';

export class StreamTransport implements Transport {
  readonly #socket: Socket;

  constructor(socket: Socket, events: TransportEvents) {
    this.#socket = socket;
    socket.pause();
    socket.on('data', (bytes: Buffer) => events.received(bytes));
    socket.on('end', () => events.finished());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => events.closed());
  }

  get queuedBytes(): number {
    return this.#socket.writableLength;
  }

  get bytesRead(): number {
    return this.#socket.bytesRead;
  }

  get bytesWritten(): number {
    return this.#socket.bytesWritten;
  }

  write(bytes: Buffer): void {
    if (this.#socket.writable) this.#socket.write(bytes);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
