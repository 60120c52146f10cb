/**
 * How many bytes a second pass through the chunk reader, from 64 KiB reads into bodies in a slab? More than 1 GB/s for large chunks;
 * and a megabyte in chunks of one byte takes less than 0.5 s.
 */
import { ChunkReader } from '../../src/rtmp/chunk-reader.ts';
import { CHUNK_STREAM, writeMessage } from '../../src/rtmp/chunk-writer.ts';
import { MESSAGE, writeSetChunkSize } from '../../src/rtmp/messages.ts';
import { print, secondsPerRound } from './measure.ts';

const READ_BYTES = 64 << 10;
const STREAM_BYTES = 16 << 20;
const SLAB_BYTES = 1 << 20;

/** Like a publisher's slab: bodies one behind the other, in blocks that are never asked for twice. */
function slab(): (typeId: number, streamId: number, timestamp: number, length: number) => Buffer {
  let block = Buffer.allocUnsafeSlow(SLAB_BYTES);
  let used = 0;
  return (_typeId, _streamId, _timestamp, length) => {
    if (used + length > block.length) {
      block = Buffer.allocUnsafeSlow(SLAB_BYTES);
      used = 0;
    }
    used += length;
    return block.subarray(used - length, used);
  };
}

function reads(bytes: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += READ_BYTES) pieces.push(bytes.subarray(at, at + READ_BYTES));
  return pieces;
}

function chunkSizeMessage(size: number): Buffer {
  const message = { typeId: MESSAGE.SetChunkSize, streamId: 0, timestamp: 0, body: writeSetChunkSize(size) };
  return writeMessage(message, 128, CHUNK_STREAM.control);
}

function bench(name: string, chunkSize: number, bodyBytes: number, inSlab: boolean, streamBytes = STREAM_BYTES): void {
  const message = { typeId: MESSAGE.Video, streamId: 1, timestamp: 40, body: Buffer.alloc(bodyBytes, 0x27) };
  const written = writeMessage(message, chunkSize, CHUNK_STREAM.video);
  const count = Math.max(1, Math.floor(streamBytes / written.length));
  const pieces = reads(Buffer.concat(new Array<Buffer>(count).fill(written)));
  const reader = new ChunkReader({ maxMessage: 8 << 20 }, inSlab ? slab() : undefined);
  reader.feed(chunkSizeMessage(chunkSize));
  reader.next();
  const seconds = secondsPerRound(() => {
    let messages = 0;
    for (const piece of pieces) {
      reader.feed(piece);
      while (reader.next() !== undefined) messages++;
    }
    if (messages !== count) throw new Error(`${messages} of ${count} messages`);
  });
  print({ name, value: (count * written.length) / seconds / 1e9, unit: 'GB/s' });
  if (chunkSize === 1) print({ name: `${name}: CPU`, value: seconds / ((count * bodyBytes) / 1e6), unit: 's/MB' });
}

bench('chunks of 4096, messages of 12 kB, into a slab', 4096, 12_000, true);
bench('chunks of 4096, messages of 12 kB, bodies of its own', 4096, 12_000, false);
bench('chunks of 65536, messages of 12 kB, into a slab', 65_536, 12_000, true);
bench('chunks of 4096, messages of 200 kB, bodies that grow', 4096, 200_000, false);
bench('chunks of 4096, messages of 300 bytes (audio), into a slab', 4096, 300, true);
bench('chunks of 128, messages of 12 kB, into a slab', 128, 12_000, true);
bench('chunks of 1, messages of 12 kB, into a slab', 1, 12_000, true, 1 << 20);
