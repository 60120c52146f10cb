/**
 * What `npm publish` would hand out: packed, unpacked elsewhere, started.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CastgateProcess, FREE_PORTS, runCastgate } from '../helpers/castgate-process.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const execute = promisify(execFile);

test('the packed program runs, brings its pages, and nothing else', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'castgate-package-'));
  try {
    await execute('npm', ['pack', '--pack-destination', folder], { cwd: ROOT });
    const [packed] = await readdir(folder);
    await execute('tar', ['-xzf', packed!], { cwd: folder });
    const home = join(folder, 'package');
    const top = (await readdir(home)).sort();
    for (const name of ['LICENSE', 'README.md', 'SECURITY.md', 'dist', 'docs', 'examples', 'package.json', 'web']) {
      assert.ok(top.includes(name), `${name} in ${top}`);
    }
    for (const name of ['src', 'test', 'bench', 'scripts', 'node_modules']) assert.ok(!top.includes(name), name);

    // The packages themselves are the ones of this checkout.
    await symlink(join(ROOT, 'node_modules'), join(home, 'node_modules'));
    const { version } = JSON.parse(await readFile(join(home, 'package.json'), 'utf8')) as { version: string };
    const main = join(home, 'dist', 'main.js');
    assert.equal((await runCastgate(['--version'], { main })).stdout, `castgate ${version}\n`);

    const castgate = await CastgateProcess.start(FREE_PORTS, { main });
    const socket = connect(await castgate.port('rtmp'), '127.0.0.1');
    socket.write(Buffer.concat([Buffer.from([3]), Buffer.alloc(1536)]));
    const [answer] = (await once(socket, 'data')) as [Buffer];
    assert.equal(answer[0], 3, 'an RTMP server answers');
    socket.destroy();
    // HTTP is recognised on that port, too
    const module = await fetch(`http://127.0.0.1:${await castgate.port('rtmp')}/web/castgate-play.js`);
    assert.equal(await module.text(), await readFile(join(home, 'web', 'castgate-play.js'), 'utf8'));
    assert.equal((await castgate.stop()).code, 0);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
