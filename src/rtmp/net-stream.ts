/**
 * The message streams of one server connection (RTMP 7.2.2): what each does now, and the commands that belong to a stream.
 */
import { PeerError } from '../base/errors.ts';
import { amfFields } from './amf-value.ts';
import type { ChunkStream } from './chunk-stream.ts';
import { CHUNK_STREAM } from './chunk-writer.ts';
import type { Command, Level } from './commands.ts';
import * as commands from './commands.ts';
import { MESSAGE, USER_CONTROL } from './messages.ts';

/** A question waiting for `accept` or `refuse`. */
export interface Question {
  readonly asks: 'connect' | 'publish' | 'play';
  /** Message stream; 0 for connect. */
  readonly streamId: number;
  readonly transaction: number;
}

export type NetStreamEvent =
  | { readonly type: 'publish'; readonly question: Question; readonly name: string }
  /** `restart`: the stream was playing something else, which ends here. */
  | { readonly type: 'play'; readonly question: Question; readonly name: string; readonly restart: boolean }
  /** The client has ended what it did on this stream. */
  | { readonly type: 'stopped'; readonly streamId: number; readonly was: 'publish' | 'play' }
  | { readonly type: 'paused'; readonly streamId: number; readonly paused: boolean }
  | { readonly type: 'wants'; readonly streamId: number; readonly kind: 'audio' | 'video'; readonly wanted: boolean };

/** Message streams of one connection. Flash pages used a handful; encoders and players one. */
const MAX_MESSAGE_STREAMS = 16;

export class NetStreams {
  readonly #chunks: ChunkStream;
  readonly #emit: (event: NetStreamEvent) => void;
  readonly #doing = new Map<number, 'idle' | 'publish' | 'play'>();
  #publishing = 0;

  /** Answers go out through `chunks`, events to `emit`. */
  constructor(chunks: ChunkStream, emit: (event: NetStreamEvent) => void) {
    this.#chunks = chunks;
    this.#emit = emit;
  }

  /** Carries out a command of a stream; false when it is none. Throws `PeerError`. */
  run(command: Command): boolean {
    const carryOut = COMMANDS.get(command.name);
    carryOut?.(this, command);
    return carryOut !== undefined;
  }

  publishes(streamId: number): boolean {
    return this.#publishing > 0 && this.#doing.get(streamId) === 'publish';
  }

  /** The streams in use, and what for. */
  busy(): readonly (readonly [streamId: number, doing: 'publish' | 'play'])[] {
    return [...this.#doing].filter((entry): entry is [number, 'publish' | 'play'] => entry[1] !== 'idle');
  }

  beginPublish(question: Question, name: string): void {
    this.#doing.set(question.streamId, 'publish');
    this.#publishing += 1;
    this.#chunks.sendUserControl(USER_CONTROL.StreamBegin, question.streamId);
    this.status(question.streamId, 'status', 'NetStream.Publish.Start', `${name} is now published.`);
  }

  beginPlay(question: Question, name: string): void {
    const { streamId } = question;
    this.#doing.set(streamId, 'play');
    this.#chunks.sendUserControl(USER_CONTROL.StreamBegin, streamId);
    this.status(streamId, 'status', 'NetStream.Play.Reset', `Playing and resetting ${name}.`);
    this.status(streamId, 'status', 'NetStream.Play.Start', `Started playing ${name}.`);
    this.#chunks.send(MESSAGE.DataAmf0, streamId, 0, commands.sampleAccess(), CHUNK_STREAM.data);
  }

  /** The stream that is being played has no publisher now: RTMP 7.1.7 Stream EOF, and the status that players act on. */
  unpublished(streamId: number, name: string): void {
    this.#chunks.sendUserControl(USER_CONTROL.StreamEof, streamId);
    this.status(streamId, 'status', 'NetStream.Play.UnpublishNotify', `${name} is now unpublished.`);
  }

  /** A publisher came for the stream that is being played. */
  published(streamId: number, name: string): void {
    this.#chunks.sendUserControl(USER_CONTROL.StreamBegin, streamId);
    this.status(streamId, 'status', 'NetStream.Play.PublishNotify', `${name} is now published.`);
  }

  /** Tells the client something about one of its streams; 0: about the connection. */
  status(streamId: number, level: Level, code: string, description: string): void {
    this.send(streamId, commands.onStatus({ level, code, description }));
  }

  /** Sends a command. */
  send(streamId: number, body: Buffer): void {
    this.#chunks.send(MESSAGE.CommandAmf0, streamId, 0, body);
  }

  /** A command that only wants a result. */
  answer(command: Command, value: number | null | undefined): void {
    if (command.transaction > 0) this.send(0, commands.result(command.transaction, value));
  }

  /** Ends what a stream does, from this side. */
  stop(streamId: number): void {
    this.#idle(streamId);
  }

  /** createStream: the first stream is number 1, which all players share; the numbers of deleted ones are used again. */
  create(command: Command): void {
    let id = 1;
    while (this.#doing.has(id)) id += 1;
    if (id > MAX_MESSAGE_STREAMS) {
      throw new PeerError('rtmp/sequence', `more than ${MAX_MESSAGE_STREAMS} streams on one connection`);
    }
    this.#doing.set(id, 'idle');
    this.send(0, commands.result(command.transaction, id));
  }

  /** publish(name, type): `record` and `append` are published live as well; false in place of the name ends it. */
  publish(command: Command): void {
    if (command.args[0] === false) this.end(command.streamId, true);
    else this.#publish(command);
  }

  /** play(name, start, duration, reset): a live stream has no start and no end, so the numbers say nothing. false ends it. */
  play(command: Command): void {
    if (command.args[0] === false) this.end(command.streamId, true);
    else this.#play(command, commands.textArgument(command, 0));
  }

  /** play2({streamName, …}) switches to another stream. */
  play2(command: Command): void {
    const name = amfFields(command.args[0])?.get('streamName');
    if (typeof name !== 'string') throw new PeerError('rtmp/command', 'play2 needs an object with streamName');
    this.#play(command, name);
  }

  /** closeStream keeps the message stream, deleteStream gives it back. */
  end(streamId: number, keep: boolean): void {
    const was = this.#idle(streamId);
    if (was === undefined) return;
    if (was === 'publish') this.status(streamId, 'status', 'NetStream.Unpublish.Success', 'Stopped publishing.');
    if (!keep) this.#doing.delete(streamId);
    if (was !== 'idle') this.#emit({ type: 'stopped', streamId, was });
  }

  /** FCPublish: FMLE waits for both answers. */
  fcPublish(command: Command): void {
    this.send(0, commands.onFcPublish('onFCPublish', 'NetStream.Publish.Start', 'Go on with publish.'));
    this.answer(command, undefined);
  }

  /** FCUnpublish names the stream by its name alone; all that this connection publishes ends. */
  fcUnpublish(command: Command): void {
    for (const [streamId, doing] of this.busy()) if (doing === 'publish') this.end(streamId, true);
    this.send(0, commands.onFcPublish('onFCUnpublish', 'NetStream.Unpublish.Success', 'Stopped publishing.'));
    this.answer(command, undefined);
  }

  /** pause(flag, milliseconds): the picture stops, the session stays. */
  pause(command: Command): void {
    const { streamId } = command;
    if (this.#doing.get(streamId) !== 'play') return;
    const paused = command.args[0] === true;
    this.#chunks.sendUserControl(paused ? USER_CONTROL.StreamEof : USER_CONTROL.StreamBegin, streamId);
    const code = paused ? 'NetStream.Pause.Notify' : 'NetStream.Unpause.Notify';
    this.status(streamId, 'status', code, paused ? 'Paused.' : 'Playing on.');
    this.#emit({ type: 'paused', streamId, paused });
  }

  /** receiveAudio(flag), receiveVideo(flag) */
  wants(command: Command, kind: 'audio' | 'video'): void {
    const { streamId } = command;
    if (this.#doing.get(streamId) !== 'play') return;
    this.#emit({ type: 'wants', streamId, kind, wanted: command.args[0] !== false });
  }

  /** seek: a live stream has only its present, so the place stays where it is. */
  seek(command: Command): void {
    if (this.#doing.get(command.streamId) !== 'play') return;
    this.status(command.streamId, 'status', 'NetStream.Seek.Notify', 'A live stream stays at its present.');
  }

  #publish(command: Command): void {
    const { streamId, transaction } = command;
    const name = commands.textArgument(command, 0);
    if (this.#doing.get(streamId) !== 'idle')
      throw new PeerError('rtmp/sequence', `publish on message stream ${streamId}`);
    this.#emit({ type: 'publish', name, question: { asks: 'publish', streamId, transaction } });
  }

  #play(command: Command, name: string): void {
    const { streamId, transaction } = command;
    const doing = this.#doing.get(streamId);
    if (doing === undefined || doing === 'publish')
      throw new PeerError('rtmp/sequence', `play on message stream ${streamId}`);
    this.#emit({ type: 'play', name, question: { asks: 'play', streamId, transaction }, restart: doing === 'play' });
  }

  #idle(streamId: number): 'idle' | 'publish' | 'play' | undefined {
    const was = this.#doing.get(streamId);
    if (was === 'publish') this.#publishing -= 1;
    if (was !== undefined) this.#doing.set(streamId, 'idle');
    return was;
  }
}

type Run = (streams: NetStreams, command: Command) => void;

/** The only commands there are; a Map, so that no name a peer invents finds anything else. */
const COMMANDS: ReadonlyMap<string, Run> = new Map<string, Run>([
  ['createStream', (streams, command) => streams.create(command)],
  ['initStream', (streams, command) => streams.answer(command, undefined)],
  ['releaseStream', (streams, command) => streams.answer(command, undefined)],
  ['FCPublish', (streams, command) => streams.fcPublish(command)],
  ['FCUnpublish', (streams, command) => streams.fcUnpublish(command)],
  ['FCSubscribe', (streams, command) => streams.answer(command, undefined)],
  ['publish', (streams, command) => streams.publish(command)],
  ['play', (streams, command) => streams.play(command)],
  ['play2', (streams, command) => streams.play2(command)],
  ['pause', (streams, command) => streams.pause(command)],
  ['pauseRaw', (streams, command) => streams.pause(command)],
  ['seek', (streams, command) => streams.seek(command)],
  ['receiveAudio', (streams, command) => streams.wants(command, 'audio')],
  ['receiveVideo', (streams, command) => streams.wants(command, 'video')],
  ['closeStream', (streams, command) => streams.end(command.streamId, true)],
  ['deleteStream', (streams, command) => streams.end(commands.numberArgument(command, 0, command.streamId), false)],
  ['getStreamLength', (streams, command) => streams.answer(command, 0)],
  ['_checkbw', (streams, command) => streams.answer(command, null)],
  ['checkBandwidth', (streams, command) => streams.answer(command, null)],
  // answers to what we asked, and remarks that want none
  ['_result', () => {}],
  ['_error', () => {}],
  ['onStatus', () => {}],
  ['onBWDone', () => {}],
]);
