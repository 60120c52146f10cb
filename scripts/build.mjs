/**
 * `npm run build`: compiles src to dist, which is what the published package runs, and sees whether it runs.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, rmSync } from 'node:fs';

process.chdir(new URL('..', import.meta.url).pathname);
rmSync('dist', { recursive: true, force: true });
const { status } = spawnSync('tsc', ['-p', 'tsconfig.build.json'], { stdio: 'inherit' });
if (status !== 0) process.exit(1);
chmodSync('dist/main.js', 0o755);

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
const { stdout, stderr } = spawnSync(process.execPath, ['dist/main.js', '--version'], { encoding: 'utf8' });
if (stdout.trim() !== `castgate ${version}`) {
  process.stderr.write(`dist/main.js --version says ${JSON.stringify(stdout)}\n${stderr}`);
  process.exit(1);
}
process.stdout.write(`dist is castgate ${version}\n`);
