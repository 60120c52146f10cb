#!/usr/bin/env node
/**
 * The doorbell: a Node.js that is too old is told so before anything else is loaded.
 */
const OLDEST = { major: 22, minor: 18 };

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < OLDEST.major || (major === OLDEST.major && minor < OLDEST.minor)) {
  const needed = `${OLDEST.major}.${OLDEST.minor}`;
  process.stderr.write(`castgate needs Node.js ${needed} or later; this is ${process.versions.node}.\n`);
  process.exit(1);
}
const { run } = await import('./program.ts');
await run(process.argv.slice(2));

export {};
