/**
 * `npm run build`: compiles src to dist, which is what the published package runs, and sees whether it runs.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, rmSync } from 'node:fs';

process.chdir(new URL('..', import.meta.url).pathname);
rmSync('dist', { recursive: true, force: true });
execFileSync('tsc', ['-p', 'tsconfig.build.json'], { stdio: 'inherit' });
chmodSync('dist/main.js', 0o755);

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
const said = execFileSync(process.execPath, ['dist/main.js', '--version'], { encoding: 'utf8' }).trim();
if (said !== `castgate ${version}`) throw new Error(`dist/main.js --version says ${JSON.stringify(said)}`);
process.stdout.write(`dist is castgate ${version}\n`);
