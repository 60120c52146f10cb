/**
 * A network between one client and the media port, made of a socket on either side: it loses, delays and goes dark as it is told, the
 * same way for the same seed, and can give the client another address.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { Dice } from '../sim/dice.ts';
import type { Scope } from './program.ts';

export interface Roughness {
  /** Share of datagrams that are lost, 0 to 1. */
  readonly loss: number;
  /** Share of datagrams that are overtaken. */
  readonly reordered: number;
  /** How long those are held, milliseconds. */
  readonly hold: number;
}

export const CALM: Roughness = { loss: 0, reordered: 0, hold: 0 };

export class RoughNetwork {
  readonly #client: Socket;
  readonly #server: number;
  readonly #dice: Dice;
  readonly #held = new Set<NodeJS.Timeout>();
  /** What the server sees, by the address of the client: browsers try several. */
  readonly #outside = new Map<string, Socket>();
  roughness: Roughness = CALM;
  /** Nothing comes through, either way. */
  dark = false;
  readonly counts = { carried: 0, lost: 0, held: 0 };

  /** `server`: the media port, on 127.0.0.1. */
  static async open(t: Scope, server: number, seed: number): Promise<RoughNetwork> {
    const client = createSocket('udp4').bind(0, '127.0.0.1');
    await once(client, 'listening');
    const network = new RoughNetwork(client, server, seed);
    t.after(() => network.#close());
    return network;
  }

  private constructor(client: Socket, server: number, seed: number) {
    this.#client = client;
    this.#server = server;
    this.#dice = new Dice(seed);
    client.on('message', (datagram, from) => {
      this.#carry(() => this.#outsideOf(from).send(datagram, this.#server, '127.0.0.1'));
    });
  }

  /** What clients shall send to instead of the media port. */
  get port(): number {
    return this.#client.address().port;
  }

  /** From now on the server sees the client elsewhere; what still comes to the old place is lost. */
  move(): void {
    for (const socket of this.#outside.values()) socket.close();
    this.#outside.clear();
  }

  #outsideOf({ address, port }: RemoteInfo): Socket {
    const client = `${address} ${port}`;
    let socket = this.#outside.get(client);
    if (socket === undefined) {
      socket = createSocket('udp4');
      this.#outside.set(client, socket);
      socket.on('message', (datagram) => {
        this.#carry(() => this.#client.send(datagram, port, address));
      });
    }
    return socket;
  }

  #close(): void {
    for (const timer of this.#held) clearTimeout(timer);
    this.move();
    this.#client.close();
  }

  #carry(send: () => void): void {
    const { loss, reordered, hold } = this.roughness;
    if (this.dark || this.#dice.chance(loss)) {
      this.counts.lost += 1;
      return;
    }
    this.counts.carried += 1;
    if (!this.#dice.chance(reordered)) {
      send();
      return;
    }
    this.counts.held += 1;
    const timer = setTimeout(() => {
      this.#held.delete(timer);
      send();
    }, hold);
    this.#held.add(timer);
  }
}
