/**
 * Sends datagrams over a socket's bare handle, without a request object, a callback and a lookup for each.
 *
 * The bare handle is not public API. What is used of it is looked at first; where it is not as expected, `UdpPort` does the same by
 * public API alone. The tests run both.
 */
import type { Socket } from 'node:dgram';

/** Nearly every datagram fits; longer ones are copied into memory of their own. */
const SCRATCH_BYTES = 2_048;

interface BareHandle {
  /**
   * Bytes sent plus one; below 0: an error; 0: the request and the memory are in use until `oncomplete`, which is called only with
   * `callback`.
   */
  send(
    request: SendRequest,
    list: readonly Buffer[],
    count: number,
    port: number,
    address: string,
    callback: boolean,
  ): number;
}

interface SendRequest {
  oncomplete?: () => void;
  /** Held as long as the handle needs it. */
  list?: readonly Buffer[];
}

type RequestClass = new () => SendRequest;

export class UdpHandle {
  /** Bytes that the handle's queue holds. */
  waiting = 0;
  readonly #handle: BareHandle;
  readonly #Request: RequestClass;
  /** A request is only used up by a datagram that has to wait. */
  #request: SendRequest;
  /** Used while nothing waits, so that the queue never holds it while it is written to. */
  readonly #scratch = new Scratch();

  /** Undefined when the socket's insides are not as expected. It is bound, and its lookup answers at once. */
  static over(socket: Socket, host: string): UdpHandle | undefined {
    const inner = socket as unknown as Record<symbol, { handle?: Partial<BareHandle> } | undefined>;
    const handle = Object.getOwnPropertySymbols(inner)
      .map((symbol) => inner[symbol]?.handle)
      .find((found) => typeof found?.send === 'function');
    const Request = handle === undefined ? undefined : requestClass(socket, handle, host);
    return Request === undefined ? undefined : new UdpHandle(handle as BareHandle, Request);
  }

  constructor(handle: BareHandle, Request: RequestClass) {
    this.#handle = handle;
    this.#Request = Request;
    this.#request = new Request();
  }

  /** The bytes may be written over as soon as this has returned. False: the system refused it. */
  send(bytes: Uint8Array, offset: number, length: number, port: number, address: string): boolean {
    const free = this.waiting === 0 && length <= SCRATCH_BYTES;
    const list = free
      ? this.#scratch.take(bytes, offset, length)
      : [Buffer.from(bytes.subarray(offset, offset + length))];
    const result = this.#handle.send(this.#request, list, 1, port, address, true);
    if (result === 0) this.#wait(list, length);
    return result >= 0;
  }

  /** The queue has the memory and the request now. */
  #wait(list: readonly Buffer[], length: number): void {
    const request = this.#request;
    this.#request = new this.#Request();
    this.waiting += length;
    request.list = list;
    request.oncomplete = () => {
      this.waiting -= length;
    };
  }
}

/** Looks at what the socket hands to its handle for a datagram. Nothing is sent. */
function requestClass(socket: Socket, handle: Partial<BareHandle>, host: string): RequestClass | undefined {
  const real = handle.send!;
  let seen: unknown[] = [];
  handle.send = (...taken) => {
    seen = taken;
    return 2;
  };
  socket.send(Buffer.of(0), 0, 1, 9, host);
  handle.send = real;
  const [request, list, count, port, address, callback] = seen;
  const expected = seen.length === 6 && count === 1 && port === 9 && address === host && callback === false;
  if (!expected || !Array.isArray(list) || list[0]?.length !== 1 || typeof request !== 'object') return undefined;
  return request?.constructor as RequestClass | undefined;
}

/**
 * Memory for the datagram that is being sent, with a view of each length, in the list that the handle wants: a copy costs less than a
 * new view of somebody else's memory, and the handle may keep it.
 */
class Scratch {
  readonly #memory = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  readonly #lists: (readonly Buffer[])[] = [];
  #source: Uint8Array = this.#memory;
  #view: Buffer = this.#memory;

  take(bytes: Uint8Array, offset: number, length: number): readonly Buffer[] {
    if (bytes !== this.#source) {
      this.#source = bytes;
      this.#view = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    this.#view.copy(this.#memory, 0, offset, offset + length);
    let list = this.#lists[length];
    if (list === undefined) {
      list = [this.#memory.subarray(0, length)];
      this.#lists[length] = list;
    }
    return list;
  }
}
