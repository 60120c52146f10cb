/**
 * A TCP connection as cheaply as Node allows. Bytes arrive in one buffer shared by all connections and are handled before the
 * callback returns; bytes leave through the socket's bare handle, without a request object or a callback for each write.
 *
 * The bare handle is not public API. What is used of it is looked at first; where it is not as expected, `StreamTransport` does the
 * same by public API alone. The tests run both.
 */
import type { Socket } from 'node:net';
import type { Transport, TransportEvents } from './transport.ts';

/** The read buffer of all connections: each event is handled before the next one is read. */
const READ_BUFFER_BYTES = 256 << 10;
const readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);

/** A dispatched write, as the handle gives it back (Node 26) or takes it (Node 22 and 24). */
interface WriteRequest {
  oncomplete: ((this: WriteRequest, status: number) => void) | null;
  buffer?: Buffer;
  transport?: HandleTransport;
  writeStatus?: number | null;
}

interface BareHandle {
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly writeQueueSize: number;
  reading: boolean;
  writeBuffer(request: WriteRequest | null, bytes: Buffer): number | WriteRequest;
  useUserBuffer(buffer: Buffer): void;
  readStart(): number;
  readStop(): number;
}

type Probed = Socket & { readonly _handle?: BareHandle } & Record<symbol, unknown>;

/** What this Node's sockets look like inside; undefined: not as expected. */
interface Insides {
  /** Where a socket keeps its own read buffer and the callback for it. */
  readonly buffer: symbol;
  readonly callback: symbol;
  /**
   * The request class that `writeBuffer` wants (Node 22, 24). Undefined: it wants null, answers 0 or an error number when the
   * write is over, and a request for what has to wait (Node 26).
   */
  readonly Request: (new () => WriteRequest) | undefined;
}

let insides: Insides | undefined | null = null;

/** Looks once: at a socket made with the documented `onread` option, and at what it hands to a handle that is none. */
function lookInside(socket: Socket): Insides | undefined {
  if (insides !== null) return insides;
  insides = undefined;
  let taken: unknown;
  const nothing = () => 0;
  const handle = {
    ...{ reading: false, writeQueueSize: 0, bytesRead: 0, bytesWritten: 0, getAsyncId: nothing },
    ...{ readStart: nothing, readStop: nothing, useUserBuffer: nothing, ref: nothing, unref: nothing, hasRef: nothing },
    writeBuffer(request: unknown) {
      taken = request;
      return 0;
    },
    close(then?: () => void) {
      then?.();
    },
  };
  const Make = socket.constructor as new (options: object) => Probed;
  const probe = new Make({ handle, onread: { buffer: readBuffer, callback: () => true }, pauseOnCreate: true });
  probe.on('error', () => {});
  probe.write(Buffer.alloc(0));
  let buffer: symbol | undefined;
  let callback: symbol | undefined;
  for (const symbol of Object.getOwnPropertySymbols(probe)) {
    if (probe[symbol] === readBuffer) buffer = symbol;
    else if (typeof probe[symbol] === 'function' && String(symbol).includes('Cb')) callback = symbol;
  }
  probe.destroy();
  if (buffer === undefined || callback === undefined || taken === undefined) return undefined;
  const Request = taken === null ? undefined : ((taken as object).constructor as new () => WriteRequest);
  insides = { buffer, callback, Request };
  return insides;
}

/** The handle, when this is a plain TCP socket whose handle has all that is needed. */
function bareHandle(socket: Socket): BareHandle | undefined {
  const handle = (socket as Probed)._handle;
  if (handle === undefined || handle === null || 'encrypted' in socket) return undefined;
  for (const name of ['writeBuffer', 'useUserBuffer', 'readStart', 'readStop'] as const) {
    if (typeof handle[name] !== 'function') return undefined;
  }
  return typeof handle.writeQueueSize === 'number' ? handle : undefined;
}

function onWritten(this: WriteRequest, status: number): void {
  this.transport?.wrote(this.buffer?.length ?? 0, status);
}

/** See the top of this file. */
export class HandleTransport implements Transport {
  queuedBytes = 0;
  readonly #socket: Socket;
  readonly #events: TransportEvents;
  #handle: BareHandle | undefined;
  readonly #Request: (new () => WriteRequest) | undefined;
  #spare: WriteRequest | null = null;
  #paused = true;
  /** The end was sent, or follows what is queued. */
  #ended = false;
  #bytesRead = 0;
  #bytesWritten = 0;

  /** Takes the socket over; undefined when its insides are not as expected. */
  static over(socket: Socket, events: TransportEvents): HandleTransport | undefined {
    const handle = bareHandle(socket);
    const found = handle === undefined ? undefined : lookInside(socket);
    return handle === undefined || found === undefined ? undefined : new HandleTransport(socket, handle, found, events);
  }

  private constructor(socket: Socket, handle: BareHandle, found: Insides, events: TransportEvents) {
    this.#socket = socket;
    this.#handle = handle;
    this.#events = events;
    this.#Request = found.Request;
    this.#stopReading();
    const probed = socket as Probed;
    probed[found.buffer] = readBuffer;
    probed[found.callback] = (length: number, buffer: Buffer) => {
      this.#received(buffer.subarray(0, length));
      return true;
    };
    handle.useUserBuffer(readBuffer);
    socket.on('end', () => {
      // the socket answers the other side's end with its own
      this.#ended = true;
      this.#events.finished();
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#keepCounts();
      this.#handle = undefined;
      this.#events.closed();
    });
  }

  get bytesRead(): number {
    return this.#handle?.bytesRead ?? this.#bytesRead;
  }

  get bytesWritten(): number {
    return this.#handle?.bytesWritten ?? this.#bytesWritten;
  }

  write(bytes: Buffer): void {
    const handle = this.#handle;
    if (handle === undefined || this.#ended) return;
    if (this.#Request !== undefined) {
      this.#writeWithRequest(handle, this.#Request, bytes);
      return;
    }
    const result = handle.writeBuffer(null, bytes);
    if (result === 0) return;
    if (typeof result === 'number') this.#failed();
    else this.#wait(result, bytes);
  }

  /** A request is only used up by a write that has to wait, which the handle's queue tells. */
  #writeWithRequest(handle: BareHandle, Request: new () => WriteRequest, bytes: Buffer): void {
    this.#spare ??= new Request();
    const request = this.#spare;
    if (handle.writeBuffer(request, bytes) !== 0) {
      this.#failed();
    } else if (handle.writeQueueSize > 0) {
      this.#spare = null;
      this.#wait(request, bytes);
    }
  }

  #wait(request: WriteRequest, bytes: Buffer): void {
    request.buffer = bytes;
    request.transport = this;
    request.oncomplete = onWritten;
    this.queuedBytes += bytes.length;
    // it may have completed before `oncomplete` was there
    const status = request.writeStatus;
    if (status !== null && status !== undefined) {
      request.writeStatus = null;
      onWritten.call(request, status);
    }
  }

  wrote(length: number, status: number): void {
    this.queuedBytes -= length;
    if (status < 0) this.#failed();
  }

  pause(): void {
    this.#paused = true;
    this.#stopReading();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    const handle = this.#handle;
    if (handle === undefined || handle.reading) return;
    handle.reading = true;
    if (handle.readStart() !== 0) this.#failed();
  }

  end(): void {
    this.#ended = true;
    if (this.#handle !== undefined) this.#socket.end();
  }

  destroy(): void {
    this.#keepCounts();
    this.#handle = undefined;
    this.#socket.destroy();
  }

  #received(bytes: Buffer): void {
    // the socket itself may have begun to read again, on a tick of its own
    if (this.#paused) this.#stopReading();
    this.#events.received(bytes);
  }

  #stopReading(): void {
    const handle = this.#handle;
    if (handle === undefined || !handle.reading) return;
    handle.reading = false;
    handle.readStop();
  }

  #failed(): void {
    this.destroy();
  }

  #keepCounts(): void {
    if (this.#handle === undefined) return;
    this.#bytesRead = this.#handle.bytesRead;
    this.#bytesWritten = this.#handle.bytesWritten;
  }
}
