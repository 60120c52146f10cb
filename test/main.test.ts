import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { CastgateProcess, FREE_PORTS, runCastgate } from './helpers/castgate-process.ts';

const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'castgate-main-'));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test('--version and --help answer and end', async () => {
  const [said, help] = await Promise.all([runCastgate(['--version']), runCastgate(['--help'])]);
  assert.deepEqual([said.code, said.stdout], [0, `castgate ${version}\n`]);
  assert.equal(help.code, 0);
  assert.match(help.stdout, /castgate check FILE/);
});

test('arguments that make no sense end with 2 and what was meant', async () => {
  const { code, stdout, stderr } = await runCastgate(['chek', 'x.yml']);
  assert.deepEqual([code, stdout], [2, '']);
  assert.match(stderr, /no command "chek"; did you mean "check"\?\nTry castgate --help/);
});

test('check tells ok with warnings, or all faults with their places', async () => {
  await inFolder(async (directory) => {
    await writeFile(join(directory, 'good.yml'), 'applications: { live: { webStatus: "http://s/" } }\n');
    await writeFile(join(directory, 'bad.yml'), 'rtmp:\n  chunksize: 5\n  listen: x\n');
    await writeFile(join(directory, 'latin.yml'), Buffer.from('# \xe4\n', 'latin1'));
    const [good, bad, latin, missing, folder] = await Promise.all(
      ['good.yml', 'bad.yml', 'latin.yml', 'none.yml', '.'].map((file) => runCastgate(['check', file], { directory })),
    );
    assert.deepEqual([good!.code, good!.stderr], [0, '']);
    assert.match(good!.stdout, /^warning: good\.yml:1:36: applications\.live\.webStatus: .*\nok\n$/);
    assert.deepEqual([bad!.code, bad!.stdout], [2, '']);
    assert.match(bad!.stderr, /^bad\.yml:2:3: .*did you mean "chunkSize"\?\nbad\.yml:3:11: rtmp\.listen: .*\n$/);
    assert.deepEqual([latin!.code, latin!.stderr], [2, 'latin.yml: is not text in UTF-8\n']);
    assert.deepEqual([missing!.code, missing!.stderr], [2, 'none.yml: there is no such file\n']);
    assert.deepEqual([folder!.code, folder!.stderr], [2, '.: is a directory, not a file\n']);
  });
});

test('it serves with castgate.yml of the working directory, and ends with 0 on SIGTERM and SIGINT', async () => {
  await inFolder(async (directory) => {
    await writeFile(
      join(directory, 'castgate.yml'),
      'rtmp: { listen: "127.0.0.1:0" }\nhttp: { listen: "" }\nadmin: { listen: "" }\n',
    );
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const castgate = await CastgateProcess.start([], { directory });
      const socket = connect(await castgate.port('rtmp'), '127.0.0.1');
      await once(socket, 'connect');
      castgate.child.kill(signal);
      const { code, stderr } = await castgate.ended;
      assert.deepEqual([code, stderr], [0, '']);
      assert.equal(castgate.log.find(({ msg }) => msg === 'castgate is ready')?.['settings'], 'castgate.yml');
      assert.equal(castgate.log.at(-1)?.['msg'], 'goodbye');
      socket.destroy();
    }
  });
});

test('a second signal ends it at once; one that npm sent twice does not', async () => {
  const castgate = await CastgateProcess.start(FREE_PORTS);
  // Half-open: the goodbye stays without an answer, so that the server waits.
  const socket = connect({ port: await castgate.port('rtmp'), host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => {});
  socket.write(Buffer.concat([Buffer.from([3]), Buffer.alloc(1536)]));
  await once(socket, 'data');
  castgate.child.kill('SIGTERM');
  castgate.child.kill('SIGTERM');
  await castgate.line('shutting down; the same signal again ends it at once');
  const again = setInterval(() => castgate.child.kill('SIGTERM'), 50);
  const { code } = await castgate.ended;
  clearInterval(again);
  socket.destroy();
  assert.equal(code, 143);
  assert.ok(castgate.log.some(({ msg }) => msg === 'leaving at once'));
});

test('SIGHUP takes a good file and keeps the old settings beside a bad one', async () => {
  await inFolder(async (directory) => {
    const file = join(directory, 'c.yml');
    await writeFile(file, 'log: { level: info }\n');
    const castgate = await CastgateProcess.start(['--config', 'c.yml', ...FREE_PORTS], { directory });

    await writeFile(file, 'log: { level: debugg }\n');
    castgate.child.kill('SIGHUP');
    const refused = await castgate.line('the new settings have faults; the old ones stay in force');
    assert.equal(refused['code'], 'config/reload');
    assert.match(String(refused['faults']), /^c\.yml:1:15: log\.level: .*did you mean "debug"\?/);

    await writeFile(file, 'log: { level: debug }\nrtmp: { playWait: 5s }\n');
    castgate.child.kill('SIGHUP');
    const taken = await castgate.line('settings read again');
    assert.deepEqual(taken['changed'], ['rtmp.playWait', 'log.level']);
    assert.equal((await castgate.stop()).code, 0);
  });
});

test('a port that is taken ends it with 1, the name of the setting, and the way out', async () => {
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  const { port } = holder.address() as { port: number };
  const refused = async (setting: string): Promise<void> => {
    const { code, stderr } = await runCastgate([...FREE_PORTS, '--set', `${setting}=127.0.0.1:${port}`]);
    assert.equal(code, 1);
    const start = `castgate: ${setting}: cannot listen on 127.0.0.1:${port} (EADDRINUSE): another program`;
    assert.equal(stderr.slice(0, start.length), start);
    assert.match(stderr, new RegExp(`--set ${setting}=127\\.0\\.0\\.1:\\d+`));
  };
  await Promise.all(['rtmp.listen', 'http.listen', 'admin.listen'].map(refused));
  holder.close();
});

for (const fault of ['throw new Error("boom")', 'Promise.reject(new Error("boom"))', 'Promise.reject("boom")']) {
  test(`a fault that nobody catches is logged and ends it with 1: ${fault}`, async () => {
    const inject = `data:text/javascript,process.on('SIGUSR2', () => { ${fault} })`;
    const castgate = await CastgateProcess.start(FREE_PORTS, { nodeOptions: ['--import', inject] });
    castgate.child.kill('SIGUSR2');
    const { code } = await castgate.ended;
    assert.equal(code, 1);
    const last = castgate.log.at(-1)!;
    assert.deepEqual([last['level'], last['code']], ['error', 'server/bug']);
    assert.match(JSON.stringify(last['err']), /boom/);
  });
}

test('a Node.js that is too old is told so, and nothing else', async () => {
  for (const [node, code] of [
    ['20.19.5', 1],
    ['22.17.9', 1],
    ['22.18.0', 0],
  ] as const) {
    const pretend = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${node}' } })`;
    const ended = await runCastgate(['--version'], { nodeOptions: ['--import', `data:text/javascript,${pretend}`] });
    assert.equal(ended.code, code, node);
    if (code === 1) assert.equal(ended.stderr, `castgate needs Node.js 22.18 or later; this is ${node}.\n`);
  }
});

test('lines for people begin with what to do next', async () => {
  const castgate = await CastgateProcess.spawn([...FREE_PORTS, '--set', 'log.format=pretty'], {});
  castgate.child.stdout?.once('data', () => castgate.child.kill('SIGTERM'));
  const { code, stdout } = await castgate.ended;
  assert.equal(code, 0);
  assert.match(stdout, /ffplay rtmp:\/\/127\.0\.0\.1:\d+\/live\/test\n/);
  assert.match(stdout, /\d\d:\d\d:\d\d INF goodbye\n$/);
});
