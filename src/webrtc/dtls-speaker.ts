/**
 * What makes our side of a DTLS handshake. Whoever the peer is, and whether to believe it, is the conversation's to find out.
 */
import type { DtlsSetup } from './dtls.ts';
import type { HandshakeMessage } from './dtls-fragments.ts';
import type { ClientHello } from './dtls-messages.ts';

/** Makes our flights. What it says, it gives to its voice at once or later, whole flights without a pause. */
export interface DtlsSpeaker {
  /** 48 bytes, as soon as both public keys are known. */
  readonly masterSecret: Buffer | undefined;
  /** Says a client's first flight. */
  start(): void;
  /** Does this hello, which offers all we need, begin the handshake? Otherwise it has been sent back for a cookie, or is passed over. */
  accepts(hello: ClientHello, message: HandshakeMessage): boolean;
  /** Each message of the peer once, in order, checked. */
  hear(message: HandshakeMessage): void;
  /** Says nothing any more. */
  hush(): void;
}

export interface DtlsVoice {
  /** What both ends have said, message by message, from the hello that counts. */
  transcript(): readonly Buffer[];
  /** A handshake message in one piece. */
  say(message: Buffer): void;
  /** ChangeCipherSpec and Finished, once there is a master secret. */
  finish(): void;
  /** The peer cannot be spoken to. */
  fail(text: string): void;
}

export type MakeSpeaker = (setup: DtlsSetup, voice: DtlsVoice) => DtlsSpeaker;
