/**
 * Fuzzes one target for as long as asked: node test/fuzz/run.ts <target> [--minutes N] [--seed N]
 * A find is made as short as possible and written into the corpus, where the calm law will meet it from then on.
 */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { mutate, seededRandom } from './mutation.ts';
import { corpusFile, type FuzzTarget, loadTarget, readCorpus, targetNames, verdict } from './target.ts';

const ROUNDS_BETWEEN_LOOKS = 1000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { minutes: { type: 'string', default: '1' }, seed: { type: 'string', default: String(Date.now() >>> 0) } },
});
const name = positionals[0];
if (name === undefined) {
  console.error(`usage: node test/fuzz/run.ts <target> [--minutes N] [--seed N]\ntargets: ${targetNames().join(', ')}`);
  process.exit(2);
}
const target = await loadTarget(name);
const random = seededRandom(Number(values.seed));
const corpus = readCorpus(name).map((entry) => entry.bytes);
const start = performance.now();
const end = start + Number(values.minutes) * 60_000;
let rounds = 0;
console.log(`${name}: ${corpus.length} inputs, seed ${values.seed}`);
do {
  for (let i = 0; i < ROUNDS_BETWEEN_LOOKS; i++, rounds++) {
    const input = mutate(corpus, random);
    const wrong = verdict(target, input);
    if (wrong !== undefined) report(target, input, wrong);
  }
} while (performance.now() < end);
console.log(
  `${name}: calm for ${rounds} inputs, ${Math.round((rounds / (performance.now() - start)) * 1000)} a second`,
);

function report(target: FuzzTarget, input: Buffer, wrong: Error): never {
  const short = shorten(target, input);
  const file = `find-${createHash('sha256').update(short).digest('hex').slice(0, 12)}.bin`;
  writeFileSync(corpusFile(target.name, file), short);
  console.error(
    `${target.name}: ${short.length} bytes, kept as ${file}\n${short.toString('hex').slice(0, 400)}\n${wrong.stack}`,
  );
  process.exit(1);
}

/** Drops whatever can be dropped without losing the find. */
function shorten(target: FuzzTarget, found: Buffer): Buffer {
  let bytes = found;
  for (let size = bytes.length >> 1; size >= 1; size >>= 1) {
    for (let at = 0; at < bytes.length; ) {
      const shorter = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + size)]);
      if (verdict(target, shorter) === undefined) at += size;
      else bytes = shorter;
    }
  }
  return bytes;
}
