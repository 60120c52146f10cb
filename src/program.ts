/**
 * The commands of castgate, from arguments to exit code.
 */
import { EXIT, HELP, readCommandLine, UsageError } from './command-line.ts';
import { ConfigError, faultLine } from './config/fault.ts';
import { type ConfigRequest, loadConfig } from './config/source.ts';
import { VERSION } from './version.ts';

/** Carries out one command; resolves when it is done, or when the server runs. */
export async function run(args: readonly string[]): Promise<void> {
  try {
    const command = readCommandLine(args);
    if (command.task === 'version') process.stdout.write(`castgate ${VERSION}\n`);
    else if (command.task === 'help') process.stdout.write(HELP);
    else if (command.task === 'check') await check(command);
    else await serve(command);
  } catch (error) {
    if (error instanceof UsageError) process.stderr.write(`castgate: ${error.message}\nTry castgate --help.\n`);
    else if (error instanceof ConfigError) process.stderr.write(`${error.message}\n`);
    else throw error;
    process.exitCode = EXIT.misused;
  }
}

/** The rooms are loaded for this alone: the other commands answer at once. */
async function serve(request: ConfigRequest): Promise<void> {
  const loaded = await loadConfig(request, process.env);
  const { Service } = await import('./service.ts');
  await new Service(request, loaded).run();
}

async function check(request: ConfigRequest): Promise<void> {
  const { warnings } = await loadConfig(request, process.env);
  for (const warning of warnings) process.stdout.write(`warning: ${faultLine(warning)}\n`);
  process.stdout.write('ok\n');
}
