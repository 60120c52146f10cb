import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Command, HELP, readCommandLine, UsageError } from '../src/command-line.ts';

const serve = (configFile?: string, ...settings: string[]): Command => ({ task: 'serve', configFile, settings });

const COMMANDS: readonly (readonly [string, Command])[] = [
  ['', serve()],
  ['serve', serve()],
  ['--config a.yml', serve('a.yml')],
  ['--config=a.yml serve', serve('a.yml')],
  ['serve -c a.yml -s a=b --set c=d=e', serve('a.yml', 'a=b', 'c=d=e')],
  ['check a.yml', { task: 'check', configFile: 'a.yml', settings: [] }],
  ['check a.yml --set a=b', { task: 'check', configFile: 'a.yml', settings: ['a=b'] }],
  ['check --config a.yml', { task: 'check', configFile: 'a.yml', settings: [] }],
  ['--version', { task: 'version' }],
  ['-v', { task: 'version' }],
  ['--help', { task: 'help' }],
  ['serve -h', { task: 'help' }],
];

const REFUSED: readonly (readonly [string, RegExp])[] = [
  ['chek a.yml', /no command "chek"; did you mean "check"\?/],
  ['a.yml', /no command "a\.yml"/],
  ['--confg a.yml', /no option "--confg"; did you mean "--config"\?/],
  ['-x', /no option "-x"/],
  ['--config', /--config needs a value/],
  ['--config=', /--config needs a value/],
  ['--set', /--set needs a value/],
  ['--help=1', /--help takes no value/],
  ['serve a.yml', /serve takes no argument/],
  ['check', /check needs a file/],
  ['check a b', /check takes one file/],
];

for (const [line, command] of COMMANDS) {
  test(`castgate ${line}`, () => assert.deepEqual(readCommandLine(words(line)), command));
}

for (const [line, message] of REFUSED) {
  test(`castgate ${line} is refused in words`, () => {
    assert.throws(
      () => readCommandLine(words(line)),
      (error) => error instanceof UsageError && message.test(error.message),
    );
  });
}

test('the help names every command and option', () => {
  for (const word of ['serve', 'check', '--config', '--set', '--version', '--help', '-c', '-s', '-v', '-h']) {
    assert.ok(HELP.includes(word), word);
  }
  for (const line of HELP.split('\n')) assert.ok(line.length <= 130, line);
});

function words(line: string): readonly string[] {
  return line.split(' ').filter((word) => word !== '');
}
