/**
 * Configurations in tests: read, or their faults as lines.
 */
import assert from 'node:assert/strict';
import { ConfigError, faultLine } from '../../src/config/fault.ts';
import type { Config } from '../../src/config/schema.ts';
import { type ConfigSources, readConfig } from '../../src/config.ts';

export function fromFile(text: string, more: ConfigSources = {}): Config {
  return readConfig({ file: { name: 'c.yml', text }, ...more }).config;
}

/** The lines of the faults that `sources` lead to. */
export function faultsOf(sources: ConfigSources): readonly string[] {
  try {
    readConfig(sources);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.faults.map(faultLine);
  }
  return [];
}

export function fileFaults(text: string): readonly string[] {
  return faultsOf({ file: { name: 'c.yml', text } });
}

export function fileWarnings(text: string): readonly string[] {
  return readConfig({ file: { name: 'c.yml', text } }).warnings.map(faultLine);
}

/** As it would stand in a variable: without the quotes and brackets of YAML. */
export function plain(text: string): string {
  return text.replace(/^["[]|["\]]$/g, '');
}
