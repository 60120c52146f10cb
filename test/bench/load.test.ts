import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readOptions } from '../../bench/load/options.ts';
import { type Row, table, verdicts } from '../../bench/load/report.ts';
import { COLUMNS, measure, type Sample, type Settings } from '../../bench/load/scenarios.ts';
import { SERVER_KINDS, type ServerKind } from '../../bench/load/servers.ts';
import { makeTestStream, RTMP_STREAM } from '../../bench/load/test-stream.ts';

// The least server that the load tool can measure: who said PUB is passed on to all who said PLY.
const RELAY = `
const players = new Set();
require('node:net').createServer((socket) => {
  socket.setNoDelay(true).on('error', () => {}).on('close', () => players.delete(socket));
  socket.once('data', (hello) => {
    if (hello.toString('latin1', 0, 3) === 'PLY') return players.add(socket);
    socket.on('data', (bytes) => players.forEach((player) => player.write(bytes)));
    if (hello.length > 8) socket.emit('data', hello.subarray(8));
  });
}).listen(Number(process.argv[1]), '127.0.0.1');`;

const relay: ServerKind = {
  name: 'relay',
  raw: true,
  does: () => 'each message',
  prepare: async () => ({ version: '0' }),
  command: async (_mode, port) => ({ program: process.execPath, args: ['-e', RELAY, String(port)] }),
};

describe('the load tool', () => {
  for (const kind of [relay, SERVER_KINDS.get('castgate')!]) {
    it(`measures ${kind.name} from outside`, { timeout: 120_000 }, async () => {
      const stream = await makeTestStream(RTMP_STREAM);
      const settings: Settings = { stream, players: 4, publishers: 1, seconds: 2, nap: 0, publisher: 'light' };
      const sample = await measure('fan-out', kind, 'video', settings);
      assert.ok(sample !== null);
      assert.equal(sample.players, 4);
      assert.equal(sample.lost, 0);
      // Four players of 2.5 Mbit/s; the machine may be busy, but bytes must flow and none may be made up.
      assert.ok(sample.mbitPerSecond! > 1 && sample.mbitPerSecond! < 25, `${sample.mbitPerSecond} Mbit/s`);
      assert.ok(sample.cpuPerGb! >= 0 && Number.isFinite(sample.cpuPerGb));
      assert.ok(sample.latencyP50! >= 0 && sample.latencyP50! <= sample.latencyP99!);
      assert.ok(sample.joinP50! > 0 && sample.joinP50! <= sample.joinP99!);
      assert.ok(sample.slowest! > 0 && sample.slowest! <= 1);
    });
  }

  it('says no to options that it does not know', () => {
    assert.throws(() => readOptions(['--modes', '5ms']), /no mode "5ms"/);
    assert.throws(() => readOptions(['--servers', 'apache']), /no server "apache"/);
    assert.throws(() => readOptions(['sideways']), /no scenario "sideways"/);
    assert.throws(() => readOptions(['--players', '0']), /--players takes a whole number/);
    const options = readOptions(['churn', '--modes', 'video,50ms', '--nap', '0']);
    assert.ok(options !== 'help');
    assert.deepEqual(options.scenarios, ['churn']);
    assert.deepEqual(options.modes, ['video', '50ms']);
  });

  const row = (server: string, mode: string, ...costs: number[]): Row<Sample> => ({
    scenario: 'fan-out',
    server,
    version: '1',
    mode,
    rounds: costs.map((cpuPerGb) => ({ players: 10, cpuPerGb })),
  });
  const rows = [row('castgate', 'video', 0.6, 0.9, 0.5), row('nginx', 'each message', 1), row('floor', 'video', 0.5)];

  it('prints medians with their spread, and only the columns that were measured', () => {
    const [titles, , castgate] = table(rows, 'bytes leave', COLUMNS).split('\n');
    assert.match(titles!, /CPU s\/GB/);
    assert.doesNotMatch(titles!, /visits/);
    assert.match(castgate!, /castgate 1 +video +10 +0\.60 \(0\.50-0\.90\)/);
  });

  it('holds medians against the targets', () => {
    const target = { scenario: 'fan-out', measure: 'cpuPerGb', mode: 'video', says: 'cost' } as const;
    const lines = verdicts(rows, [
      { ...target, peer: 'nginx', bound: 0.88 },
      { ...target, peer: 'floor', samePeerMode: true, bound: 1.1 },
      { ...target, peer: 'srs', bound: 1 },
      { ...target, bound: 0.5, atLeast: true },
      { ...target, bound: 0.5, players: 11 },
    ]);
    assert.deepEqual(
      lines.map((line) => line.slice(0, 11).trim()),
      ['holds', 'FALLS SHORT', 'holds'],
    );
    assert.match(lines[1]!, /1\.20x \(<= 1\.1x\)/);
  });
});
