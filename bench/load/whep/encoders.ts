/** ffmpeg as a live encoder for RTMP: of pictures that we draw and that say when, and of flashes with beeps. */
import { type ChildProcess, spawn } from 'node:child_process';

const WIDTH = 640;
const HEIGHT = 360;
const COLUMNS = 8;
const ROWS = 4;
const RATE = 30;
const RANGE = 2 ** 24;
const ENCODER = [
  ...[
    '-c:v',
    'libx264',
    '-preset',
    'veryfast',
    '-tune',
    'zerolatency',
    '-profile:v',
    'baseline',
    '-pix_fmt',
    'yuv420p',
  ],
  ...['-b:v', '2000k', '-maxrate', '2000k', '-bufsize', '2000k', '-g', String(2 * RATE)],
  ...['-c:a', 'aac', '-b:a', '128k', '-ac', '2', '-flush_packets', '1', '-f', 'flv'],
];
const QUIET = ['-nostdin', '-hide_banner', '-loglevel', 'error'];

/** Milliseconds since 1970, with fractions. */
export function wallClock(): number {
  return performance.timeOrigin + performance.now();
}

export class Encoder {
  readonly #child: ChildProcess;
  readonly #painting: NodeJS.Timeout | undefined;

  /** Pictures in the form of `latency-page.js`, and a tone. */
  static painted(url: string): Encoder {
    const picture = ['-f', 'rawvideo', '-pixel_format', 'gray', '-video_size', `${WIDTH}x${HEIGHT}`];
    const child = encode([
      ...['-probesize', '32', '-analyzeduration', '0', ...picture, '-framerate', String(RATE), '-i', 'pipe:0'],
      ...['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=44100', ...ENCODER, url],
    ]);
    const startedAt = wallClock();
    let count = 0;
    const painting = setInterval(() => {
      while (startedAt + (count * 1000) / RATE <= wallClock()) {
        count += 1;
        child.stdin!.write(paint(wallClock()));
      }
    }, 1);
    return new Encoder(child, painting);
  }

  /** A white picture and a beep of 100 ms, every two seconds. */
  static flashing(url: string): Encoder {
    const flash = `color=black:size=${WIDTH}x${HEIGHT}:rate=${RATE},drawbox=color=white:t=fill:enable='lt(mod(t,2),0.1)'`;
    const beep = "aevalsrc='0.5*lt(mod(t,2),0.1)*sin(2*PI*1000*t)':sample_rate=44100";
    const inputs = [flash, beep].flatMap((source) => ['-re', '-f', 'lavfi', '-i', source]);
    return new Encoder(encode([...inputs, ...ENCODER, url]));
  }

  private constructor(child: ChildProcess, painting?: NodeJS.Timeout) {
    this.#child = child;
    this.#painting = painting;
    child.stdin!.on('error', () => {});
  }

  async stop(): Promise<void> {
    clearInterval(this.#painting);
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await ended;
  }
}

function encode(args: readonly string[]): ChildProcess {
  return spawn('ffmpeg', [...QUIET, ...args], { stdio: ['pipe', 'inherit', 'inherit'] });
}

function paint(millis: number): Buffer {
  const value = Math.round(millis) % RANGE;
  const check = (value >> 16) ^ (value >> 8) ^ value ^ 0xa5;
  const code = [value >> 16, value >> 8, value, check];
  const picture = Buffer.alloc(WIDTH * HEIGHT);
  for (let row = 0; row < ROWS; row++) {
    const top = row * (HEIGHT / ROWS) * WIDTH;
    for (let column = 0; column < COLUMNS; column++) {
      if (((code[row]! >> (COLUMNS - 1 - column)) & 1) === 0) continue;
      picture.fill(255, top + (column * WIDTH) / COLUMNS, top + ((column + 1) * WIDTH) / COLUMNS);
    }
    for (let line = 1; line < HEIGHT / ROWS; line++) picture.copyWithin(top + line * WIDTH, top, top + WIDTH);
  }
  return picture;
}
