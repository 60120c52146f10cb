#!/usr/bin/env node
/**
 * The doorbell: a Node.js that is too old is told so before anything else is loaded, and the collector is told what to expect.
 */
import { setFlagsFromString } from 'node:v8';

const OLDEST = { major: 22, minor: 18 };
const FLAGS_SINCE = 26;

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < OLDEST.major || (major === OLDEST.major && minor < OLDEST.minor)) {
  const needed = `${OLDEST.major}.${OLDEST.minor}`;
  process.stderr.write(`castgate needs Node.js ${needed} or later; this is ${process.versions.node}.\n`);
  process.exit(1);
}
// The media of hundreds of publishers is garbage seconds after it came, and V8 marks its whole heap for each 64 MB of it. Counted as part
// of the heap, it may double before that: docs/adr/0012-garbage.md. Earlier versions do not know the words.
if (major >= FLAGS_SINCE) {
  setFlagsFromString('--external-memory-accounted-in-global-limit');
  setFlagsFromString('--external-memory-max-growing-factor=2');
}
const { run } = await import('./program.ts');
await run(process.argv.slice(2));
