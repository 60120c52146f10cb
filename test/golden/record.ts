/**
 * Records the captures in rtmp/ anew: `node test/golden/record.ts [NAME ...]`, a name being the beginning of a file's.
 *
 * Each client speaks to a real server through a tee. What the engine makes of a publisher is compared with the file that was
 * published before it is written down. Needs ffmpeg, rtmpdump, GStreamer with its good and bad plugins, and for OBS: obs, Xvfb.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Message } from '../../src/rtmp/messages.ts';
import { captureFile, eventsOf } from '../helpers/capture.ts';
import { type Castgate, startCastgate } from '../helpers/castgate.ts';
import { publish } from '../helpers/ffmpeg.ts';
import { flvTags } from '../helpers/frames.ts';
import { Program, run, type Scope } from '../helpers/program.ts';
import { startTee } from '../helpers/tee.ts';

/** How a client is started on an application's address, and what of it is written down. */
interface Recording {
  readonly name: string;
  readonly version: () => string;
  readonly run: (room: Room) => Promise<string>;
}

/** What a client finds. */
interface Room {
  readonly scope: Scope;
  readonly server: Castgate;
  /** `rtmp://127.0.0.1:PORT/live`, through the tee. */
  readonly app: string;
  /** A short show. */
  readonly file: string;
  readonly directory: string;
}

const STREAM = 'show';
/** A capture of a live encoder is this long. */
const OBS_MILLIS = 4_000;
const PLAY_MILLIS = 1_500;
const DISPLAY = ':77';

const RECORDINGS: readonly Recording[] = [
  {
    name: 'ffmpeg-publish',
    version: () => firstLine('ffmpeg', '-version'),
    async run({ scope, app, file }) {
      const program = publish(scope, file, `${app}/${STREAM}`);
      await program.success();
      return program.command;
    },
  },
  {
    name: 'ffmpeg-play',
    version: () => firstLine('ffmpeg', '-version'),
    run: (room) => watch(room, 'ffmpeg', '-v', 'error', '-i', `${room.app}/${STREAM}`, '-c', 'copy', '-f', 'null', '-'),
  },
  {
    name: 'rtmpdump-play',
    version: () => lineOf('rtmpdump', ['--help'], /RTMPDump v\S+/),
    run: (room) => watch(room, 'rtmpdump', '-q', '-v', '-r', `${room.app}/${STREAM}`, '-o', '/dev/null'),
  },
  {
    name: 'gstreamer-publish',
    version: () => lineOf('gst-launch-1.0', ['--version'], /GStreamer \S+/),
    async run({ scope, app, file }) {
      const demux = `filesrc location=${file} ! flvdemux name=d`;
      const mux = `flvmux streamable=true name=m ! rtmp2sink location=${app}/${STREAM}`;
      const words = `${demux} ${mux} d.video ! queue ! m.video d.audio ! queue ! m.audio`;
      const program = new Program(scope, 'gst-launch-1.0', ['-q', ...words.split(' ')]);
      await program.success();
      return program.command;
    },
  },
  {
    name: 'gstreamer-play',
    version: () => lineOf('gst-launch-1.0', ['--version'], /GStreamer \S+/),
    run: (room) => watch(room, 'gst-launch-1.0', '-q', 'rtmp2src', `location=${room.app}/${STREAM}`, '!', 'fakesink'),
  },
  { name: 'obs-publish', version: () => lineOf('obs', ['--version'], /OBS Studio - [\d.]+/), run: obs },
];

const wanted = process.argv.slice(2);
for (const recording of RECORDINGS) {
  if (wanted.length > 0 && !wanted.some((name) => recording.name.startsWith(name))) continue;
  await record(recording);
}

async function record({ name, version, run: runClient }: Recording): Promise<void> {
  const ends: (() => unknown)[] = [];
  const scope: Scope = { after: (then) => ends.unshift(then) };
  try {
    const directory = mkdtempSync(join(tmpdir(), 'castgate-record-'));
    scope.after(() => rmSync(directory, { recursive: true, force: true }));
    const file = join(directory, 'show.flv');
    await makeShow(scope, file);
    const server = await startCastgate(scope);
    const tee = await startTee(scope, server.port);
    const command = await runClient({
      ...{ scope, server, file, directory },
      app: `rtmp://127.0.0.1:${tee.port}/live`,
    });
    await pause(200);
    const bytes = tee.captures()[0];
    assert.ok(bytes !== undefined, `${name}: nobody connected`);
    const media: Message[] = [];
    const events = eventsOf([bytes], (message) => media.push(message));
    if (name.endsWith('publish') && !name.startsWith('obs')) holdsShow(media, file);
    else assert.ok(events.length > 1);
    writeFileSync(captureFile(name, 'bin'), bytes);
    const facts = {
      client: version(),
      command: command.replaceAll(directory, '.').replaceAll(String(tee.port), '1935'),
    };
    const lines = events.map((event) => `    ${JSON.stringify(event)}`).join(',\n');
    const head = JSON.stringify(facts, undefined, 2).slice(0, -2);
    writeFileSync(captureFile(name, 'json'), `${head},\n  "events": [\n${lines}\n  ]\n}\n`);
    process.stdout.write(`${name}: ${bytes.length} bytes, ${events.length} events\n`);
    await server.stop();
  } finally {
    for (const end of ends) await end();
  }
}

function makeShow(scope: Scope, file: string): Promise<unknown> {
  const inputs = '-f lavfi -i testsrc2=size=64x36:rate=10 -f lavfi -i sine=frequency=440:sample_rate=44100 -t 2';
  const codecs = '-c:v libx264 -preset veryfast -bf 2 -g 10 -pix_fmt yuv420p -c:a aac -b:a 32k';
  return run(scope, 'ffmpeg', ['-v', 'error', ...inputs.split(' '), ...codecs.split(' '), file]);
}

/** Plays while ffmpeg publishes in a loop, and is interrupted. */
async function watch({ scope, server, file }: Room, command: string, ...args: string[]): Promise<string> {
  publish(scope, file, server.url(`live/${STREAM}`), '-re', '-stream_loop', '-1');
  await server.session('publishing', STREAM);
  const program = new Program(scope, command, args);
  await server.session('playing', STREAM);
  await pause(PLAY_MILLIS);
  program.kill('SIGINT');
  await program.end();
  return program.command;
}

/** OBS 29 without a screen: a profile of its own, streaming from the start. */
async function obs({ scope, app, directory }: Room): Promise<string> {
  const settings = join(directory, '.config/obs-studio');
  for (const folder of ['basic/profiles/Test', 'basic/scenes']) mkdirSync(join(settings, folder), { recursive: true });
  const write = (file: string, text: string) => writeFileSync(join(settings, file), text);
  const basic = 'Profile=Test\nProfileDir=Test\nSceneCollection=Test\nSceneCollectionFile=Test';
  write('global.ini', `[General]\nFirstRun=true\nEnableAutoUpdates=false\n[Basic]\n${basic}\n`);
  const simple = '[SimpleOutput]\nVBitrate=100\nABitrate=32\nStreamEncoder=x264\nPreset=ultrafast';
  const video = '[Video]\nBaseCX=64\nBaseCY=36\nOutputCX=64\nOutputCY=36\nFPSCommon=10';
  write('basic/profiles/Test/basic.ini', `[General]\nName=Test\n[Output]\nMode=Simple\n${simple}\n${video}\n`);
  const service = { type: 'rtmp_custom', settings: { server: app, key: STREAM, bwtest: false, use_auth: false } };
  write('basic/profiles/Test/service.json', JSON.stringify(service));
  const scene = { id: 'scene', versioned_id: 'scene', name: 'Scene', settings: { items: [] } };
  const scenes = { name: 'Test', current_scene: 'Scene', current_program_scene: 'Scene', sources: [scene] };
  write('basic/scenes/Test.json', JSON.stringify({ ...scenes, scene_order: [{ name: 'Scene' }] }));

  new Program(scope, 'Xvfb', [DISPLAY, '-screen', '0', '1024x768x24']);
  await pause(1_000);
  const env = { HOME: directory, XDG_CONFIG_HOME: join(directory, '.config'), XDG_RUNTIME_DIR: directory };
  const program = new Program(scope, 'obs', ['--startstreaming', '--multi'], { env: { ...env, DISPLAY } });
  await pause(OBS_MILLIS);
  program.kill('SIGTERM');
  // it asks whether to stop streaming, and nobody answers
  await pause(1_000);
  if (program.running) program.kill('SIGKILL');
  await program.end();
  return program.command;
}

/** The media that the engine saw is that of the file which was published, read without the engine. Muxers may round times. */
function holdsShow(messages: readonly Message[], file: string): void {
  const tags = [...flvTags(readFileSync(file))];
  for (const { type, header } of [
    { type: 8, header: 2 },
    { type: 9, header: 5 },
  ]) {
    const payloads = (all: readonly { typeId: number; body: Buffer }[]) =>
      all
        .filter(({ typeId, body }) => typeId === type && body.length > header)
        .map(({ body }) => body.subarray(header));
    assert.deepEqual(payloads(messages), payloads(tags));
  }
}

function firstLine(command: string, ...args: string[]): string {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
    .split('\n')[0]!
    .replace(/ Copyright.*/, '');
}

/** Some print their version among other words, some as an error. */
function lineOf(command: string, args: readonly string[], words: RegExp): string {
  const said = execFileSync('sh', ['-c', '"$@" 2>&1 || true', 'sh', command, ...args], { encoding: 'utf8' });
  return words.exec(said)?.[0] ?? command;
}
