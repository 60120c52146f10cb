/**
 * Which castgate this is.
 */
import { readFileSync } from 'node:fs';

/** From package.json, which lies beside `src` in the repository and beside `dist` in the package. */
export const VERSION: string = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version;
