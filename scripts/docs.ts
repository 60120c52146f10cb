/**
 * `npm run docs`: writes the pages of docs/ that are made from tables in the source. test/tidy.test.ts compares them.
 */
import { writeFileSync } from 'node:fs';
import { ERRORS } from '../src/base/error-table.ts';
import { APPLICATION } from '../src/config/application-schema.ts';
import { variableOf } from '../src/config/override.ts';
import { SECTION_NOTES, SECTIONS } from '../src/config/schema.ts';
import { type Leaf, settingsOf } from '../src/config/setting.ts';
import { allowed, written } from '../src/config/value.ts';

/** The generated pages, by path. */
export const PAGES: ReadonlyMap<string, () => string> = new Map([
  ['docs/configuration.md', configurationPage],
  ['docs/errors.md', errorsPage],
]);

const ERROR_GROUPS: ReadonlyMap<string, string> = new Map([
  ['rtmp', 'RTMP: the other side broke the protocol'],
  ['webrtc', 'WebRTC'],
  ['access', 'Access: castgate says no'],
  ['stream', 'Streams'],
  ['media', 'Media'],
  ['web', 'The web site'],
  ['config', 'Configuration'],
  ['server', 'The server itself'],
  ['api', 'The admin interface'],
]);

function errorsPage(): string {
  const parts = [
    '# Error codes',
    'Made from `src/base/error-table.ts` by `npm run docs`.',
    'Each refusal and each fault carries one of these codes: in the log as `code`, in answers of the admin interface as the end of `type`. A code never changes its meaning.',
  ];
  for (const [prefix, title] of ERROR_GROUPS) {
    const rows = Object.entries(ERRORS).filter(([code]) => code.startsWith(`${prefix}/`));
    parts.push(
      `## ${title}`,
      table(
        ['code', 'what happened', 'what to do'],
        rows.map(([code, { what, fix }]) => [`\`${code}\``, what, fix]),
      ),
    );
  }
  return page(parts);
}

function configurationPage(): string {
  const parts = [CONFIGURATION_HEAD];
  for (const [name, schema] of Object.entries(SECTIONS)) {
    parts.push(`## ${name}`, SECTION_NOTES.get(name)!, settingsTable([name], settingsOf(schema)));
  }
  parts.push(APPLICATIONS_HEAD, settingsTable(['applications', 'NAME'], settingsOf(APPLICATION)), CONFIGURATION_TAIL);
  return page(parts);
}

function settingsTable(path: readonly string[], settings: ReadonlyMap<string, Leaf>): string {
  return table(
    ['setting', 'allowed', 'default', 'variable', 'meaning'],
    [...settings].map(([key, setting]) => [
      `\`${key}\``,
      allowed(setting),
      setting.defaultNote ?? `\`${written(setting, setting.default)}\``,
      `\`${variableOf([...path, key])}\``,
      setting.description,
    ]),
  );
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function page(parts: readonly string[]): string {
  return `${parts.map((part) => part.trim()).join('\n\n')}\n`;
}

const CONFIGURATION_HEAD = `
# Configuration

Made from \`src/config/schema.ts\` by \`npm run docs\`.

castgate needs no configuration to start. Settings come from four places; a later one wins:

1. the defaults below,
2. a YAML file: \`--config FILE\`, else \`castgate.yml\` in the working directory, if it is there,
3. variables: the path of the setting in capitals, joined by \`_\`, after \`CASTGATE_\`,
4. the command line: \`--set PATH=VALUE\`, as often as needed.

\`\`\`sh
castgate --config /etc/castgate.yml --set rtmp.listen=127.0.0.1:1935
CASTGATE_RTMP_LISTEN=:1936 castgate
castgate check /etc/castgate.yml
\`\`\`

\`check\` prints \`ok\`, or every fault at once with line, column, what is allowed and what was probably meant; its exit code is 0 or 2. \`castgate\` itself does the same before it starts. \`SIGHUP\` reads everything again; when that finds a fault, the old settings stay in force and the log says why (\`config/reload\`). What begins afterwards goes by the new settings; listen addresses, \`rtmp.chunkSize\`, \`rtmp.readPace\`, \`rtmp.readPaceFrom\`, \`webrtc.dtls\`, \`webrtc.maxDatagram\`, \`http\`, \`admin\` and \`state\` change at the next start only, which the log says as well. Send the signal to castgate itself: npm does not hand it on.

## How values are written

| kind | written as |
| --- | --- |
| duration | \`250ms\`, \`10s\`, \`1.5m\`, \`1h\`, or a bare \`0\` |
| size | bytes: \`65536\`, \`64K\`, \`64KiB\`, \`50M\`, \`1G\`; the letters count in 1024s |
| true or false | also \`yes\` and \`no\`, \`on\` and \`off\` |
| listen address | \`:1935\` or \`1935\` for every address of the machine, \`127.0.0.1:1935\`, \`"[::1]:1935"\`; \`""\` for off; port \`0\` lets the system choose |
| list | \`[a, b]\` in the file, \`a,b\` in a variable or after \`--set\` |

In variables \`_\` may also part the words of a name: \`CASTGATE_RTMP_CHUNK_SIZE\` is \`CASTGATE_RTMP_CHUNKSIZE\`. Relative file names start from the working directory. Secrets (\`webKey\`, \`admin.token\`) are best given by variables; no message and no log line shows them.

YAML takes \`[\`, \`{\`, \`*\`, \`&\`, \`!\`, \`%\`, \`@\` at the beginning of a value, and \`: \` or \` #\` inside, for its own: put such text in quotes. A \`#\` inside a web address is refused.
`;

const APPLICATIONS_HEAD = `
## applications

One group for each application, under the name that stands in the address after the host: in \`rtmp://host/videowhisper?…\` it is \`videowhisper\`. As long as none is listed, every name is accepted and everybody may publish and watch. Once one is listed, all other names are refused.

The five names of the vendor's Session Control module (\`acceptPlayers\`, \`webLogin\`, \`webKey\`, \`webLogout\`, \`webStatus\`) are kept to the letter. Addresses may be pasted as the plugin's page shows them: \`&amp;\` is read as \`&\`. docs/session-control.md says what is sent to them and what castgate expects back.

In variables, the name stands in capitals with \`_\` for what is neither letter nor digit. An application that the file does not list is made under the name in small letters.
`;

const CONFIGURATION_TAIL = `
## Example: a web site decides

\`\`\`yaml
rtmp:
  listen: ":1935"
  writeWindow: video
admin:
  listen: 127.0.0.1:9998
applications:
  videowhisper:
    webLogin: "https://site.example/wp-admin/admin-ajax.php?action=vwls&task=rtmp_login&s="
    webLogout: "https://site.example/wp-admin/admin-ajax.php?action=vwls&task=rtmp_logout&s="
    webStatus: "https://site.example/wp-admin/admin-ajax.php?action=vwls&task=rtmp_status"
    webStatusInterval: 10s
\`\`\`

The secret comes from the environment: \`CASTGATE_APPLICATIONS_VIDEOWHISPER_WEBKEY=…\`.

## Example: two sites, TLS, and operators on another machine

\`\`\`yaml
rtmp:
  listen: ":1935"
  tlsListen: ":1936"
tls:
  cert: /etc/letsencrypt/live/media.example/fullchain.pem
  key: /etc/letsencrypt/live/media.example/privkey.pem
admin:
  listen: 10.0.0.5:9998        # needs a token: CASTGATE_ADMIN_TOKEN
  hosts: [media.internal]
applications:
  first:
    webLogin: "https://first.example/login.php?s="
    webLogout: "https://first.example/logout.php?s="
    webStatus: "https://first.example/status.php"
    connectTo: 192.0.2.10      # past the proxy in front of the site
  second:
    webLogin: "https://second.example/login.php?s="
    webLogout: "https://second.example/logout.php?s="
    webStatus: "https://second.example/status.php"
    takeover: always
    writeWindow: 50ms
\`\`\`
`;

if (import.meta.main) {
  for (const [path, make] of PAGES) writeFileSync(new URL(`../${path}`, import.meta.url), make());
}
