/**
 * The configuration from where it really lies: a file on disk, the process's variables, its arguments.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { type ConfigReading, readConfig } from '../config.ts';
import { ConfigError } from './fault.ts';
import { FILE_LIMIT } from './file.ts';

/** Read from the working directory when no file is named. */
export const DEFAULT_FILE = 'castgate.yml';

export interface ConfigRequest {
  /** Undefined: `DEFAULT_FILE`, if it is there. */
  readonly configFile: string | undefined;
  readonly settings: readonly string[];
}

export interface LoadedConfig extends ConfigReading {
  /** The file that was read; undefined when there was none. */
  readonly file: string | undefined;
}

/** Reads everything again each time it is called. Throws `ConfigError`. */
export async function loadConfig(
  { configFile, settings }: ConfigRequest,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<LoadedConfig> {
  const name = configFile ?? DEFAULT_FILE;
  const text = await readText(name, configFile === undefined);
  const file = text === undefined ? undefined : { name, text };
  return { ...readConfig({ file, environment, settings }), file: file?.name };
}

async function readText(name: string, mayBeMissing: boolean): Promise<string | undefined> {
  let file: FileHandle | undefined;
  try {
    file = await open(name);
    return new TextDecoder('utf-8', { fatal: true }).decode(await readBounded(file));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && mayBeMissing) return undefined;
    if (code === undefined) throw error;
    throw new ConfigError([{ source: name, path: '', message: READ_FAULTS.get(code) ?? `cannot be read (${code})` }]);
  } finally {
    await file?.close();
  }
}

const READ_FAULTS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'there is no such file'],
  ['EACCES', 'may not be read by this user'],
  ['EISDIR', 'is a directory, not a file'],
  ['ERR_ENCODING_INVALID_ENCODED_DATA', 'is not text in UTF-8'],
]);

/** One byte more than the limit is enough to see that there is more. A pipe tells no size beforehand. */
async function readBounded(file: FileHandle): Promise<Buffer> {
  const bytes = Buffer.alloc(FILE_LIMIT + 1);
  let length = 0;
  while (length < bytes.length) {
    const { bytesRead } = await file.read(bytes, length, bytes.length - length, null);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return bytes.subarray(0, length);
}
