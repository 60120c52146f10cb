/**
 * Datagrams of DTLS taken apart and put together otherwise, without any help of the code under test.
 */

export interface RawRecord {
  type: number;
  epoch: number;
  sequence: number;
  body: Buffer;
}

export const HANDSHAKE = 22;
export const ALERT = 21;

export function recordsOf(datagram: Buffer): RawRecord[] {
  const records: RawRecord[] = [];
  for (let at = 0; at < datagram.length; ) {
    const length = datagram.readUInt16BE(at + 11);
    records.push({
      type: datagram[at]!,
      epoch: datagram.readUInt16BE(at + 3),
      sequence: datagram.readUIntBE(at + 5, 6),
      body: datagram.subarray(at + 13, at + 13 + length),
    });
    at += 13 + length;
  }
  return records;
}

export function record({ type, epoch, sequence, body }: RawRecord): Buffer {
  const header = Buffer.from([type, 0xfe, 0xfd, ...Buffer.alloc(10)]);
  header.writeUInt16BE(epoch, 3);
  header.writeUIntBE(sequence, 5, 6);
  header.writeUInt16BE(body.length, 11);
  return Buffer.concat([header, body]);
}

/** The types of the handshake messages that can be read. */
export function typesOf(datagram: Buffer): number[] {
  return recordsOf(datagram)
    .filter(({ type, epoch }) => type === HANDSHAKE && epoch === 0)
    .map(({ body }) => body[0]!);
}

/** Plain handshake messages cut into fragments of at most `size` bytes, a datagram each; what else there is as it was. */
export function fragmented(datagram: Buffer, size: number): Buffer[] {
  let sequence = 0x100;
  return recordsOf(datagram).flatMap((whole) => {
    const { type, epoch, body } = whole;
    if (type !== HANDSHAKE || epoch > 0) return [record(whole)];
    const text = body.subarray(12);
    const pieces: Buffer[] = [];
    for (let at = 0; at === 0 || at < text.length; at += size) {
      const piece = text.subarray(at, at + size);
      const header = Buffer.from(body.subarray(0, 12));
      header.writeUIntBE(at, 6, 3);
      header.writeUIntBE(piece.length, 9, 3);
      pieces.push(record({ type, epoch, sequence: sequence++, body: Buffer.concat([header, piece]) }));
    }
    return pieces;
  });
}

/** Replaces bytes in plain handshake messages of one type, from the start of the message's own fields. */
export function altered(datagram: Buffer, type: number, change: (text: Buffer) => void): Buffer {
  return Buffer.concat(
    recordsOf(datagram).map((one) => {
      const body = Buffer.from(one.body);
      if (one.type === HANDSHAKE && one.epoch === 0 && body[0] === type) change(body.subarray(12));
      return record({ ...one, body });
    }),
  );
}
