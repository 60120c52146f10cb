/**
 * Whose fault it is. Every refusal and fault carries a stable code of error-table.ts.
 */

/** The other side broke the protocol. It is closed, with one info line. */
export class PeerError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.name = 'PeerError';
    this.code = code;
  }
}

/** We say no. The message is shown to the one refused, so it names the fix and no secret. */
export class RefusedError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.name = 'RefusedError';
    this.code = code;
  }
}
