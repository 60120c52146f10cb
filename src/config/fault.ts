/**
 * What is wrong with a configuration, where it stands, and in words that name no secret.
 */

/** Faults shown at once; a wrong file should not scroll the screen away. */
const FAULTS_SHOWN = 50;
const VALUE_SHOWN = 60;

export interface Fault {
  /** Where a person finds it: `castgate.yml:12:5`, `CASTGATE_RTMP_LISTEN` or `--set rtmp.listen`. */
  readonly source: string;
  /** The setting, such as `rtmp.listen`; empty when it concerns the file as a whole. */
  readonly path: string;
  readonly message: string;
  /** From base/errors.ts, where there is one of its own. */
  readonly code?: string;
}

/** The configuration cannot be used. Lists every fault, not only the first. */
export class ConfigError extends Error {
  readonly code = 'config/invalid';
  readonly faults: readonly Fault[];
  constructor(faults: readonly Fault[]) {
    const shown = faults.slice(0, FAULTS_SHOWN).map(faultLine);
    if (faults.length > FAULTS_SHOWN) shown.push(`and ${faults.length - FAULTS_SHOWN} more`);
    super(shown.join('\n'));
    this.name = 'ConfigError';
    this.faults = faults;
  }
}

/** One line: `castgate.yml:12:5: rtmp.chunkSize: must be …`. */
export function faultLine({ source, path, message }: Fault): string {
  // `--set rtmp.listen` names the path by itself.
  const parts = source.endsWith(` ${path}`) ? [source, message] : [source, path, message];
  return parts.filter((part) => part !== '').join(': ');
}

/** Text from outside as it may stand in a message: quoted, cut, without control characters. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > VALUE_SHOWN ? `${text.slice(0, VALUE_SHOWN)}…` : text);
}
