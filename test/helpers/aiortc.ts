/**
 * aiortc, a WebRTC client with a stack of its own, as a process; see aiortc-client.py.
 */
import { fileURLToPath } from 'node:url';
import { Program, type Scope, until } from './program.ts';

const SCRIPT = fileURLToPath(new URL('aiortc-client.py', import.meta.url));
/** The one that Debian's packages are for. */
const PYTHON = '/usr/bin/python3';

/** How far it is. Counts are of decoded frames; `loudest` of samples between 0 and 32768. */
export interface AiortcSaid {
  readonly state: string;
  /** Path of its session. */
  readonly location: string;
  readonly video: number;
  readonly audio: number;
  readonly loudest: number;
}

export class AiortcClient {
  readonly program: Program;

  constructor(t: Scope, doing: 'publish' | 'play', url: string, codec: 'VP8' | 'H264') {
    this.program = new Program(t, PYTHON, [SCRIPT, doing, url, codec]);
  }

  /** What it said last; undefined before it has said anything. Throws when it has ended. */
  get said(): AiortcSaid | undefined {
    const { program } = this;
    if (!program.running) throw new Error(`aiortc ended:\n${program.stderr}`);
    const line = program.stdout.split('\n').at(-2);
    return line === undefined ? undefined : (JSON.parse(line) as AiortcSaid);
  }

  /** Waits until it says something for which `holds`. */
  until(what: string, holds: (said: AiortcSaid) => boolean): Promise<AiortcSaid> {
    return until(what, () => {
      const { said } = this;
      return said !== undefined && holds(said) ? said : undefined;
    });
  }

  async stop(): Promise<void> {
    this.program.kill('SIGTERM');
    await this.program.success();
  }
}
