import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  type LoginRules,
  loginParams,
  loginUrl,
  logoutUrl,
  MAX_LOGIN_ANSWER,
  readLoginReply,
  sanitiseFileName,
} from '../../src/control/web-login.ts';
import { phpUrlEncode } from '../../src/session/address.ts';
import { runPhp } from '../helpers/php.ts';
import { broadcasterKey, startVendorSite, type VendorSite, viewerKey } from '../helpers/vendor-site.ts';

const WEB_KEY = 'p@ss w/ü+1';
const RULES: LoginRules = { webKey: '', webKeyCheck: 'match', acceptVerified: false };

test('an address says who, where, with which key, from where', () => {
  const login = loginParams(['My Channel', 'room', 'k&y', '1', '7', 'videowhisper'], '2001:db8::1');
  assert.deepEqual(login, {
    session: 'My Channel',
    room: 'room',
    key: 'k&y',
    broadcaster: '1',
    broadcasterId: '7',
    ip: '2001:db8::1',
  });
  const query = '&p[]=My+Channel&p[]=room&p[]=k%26y&p[]=1&p[]=7&p[]=2001%3Adb8%3A%3A1';
  assert.equal(
    loginUrl('https://site/ajax.php?action=vwls&s=', login),
    `https://site/ajax.php?action=vwls&s=My-Channel${query}`,
  );
  assert.equal(loginUrl('https://site/login.php', login), `https://site/login.php?s=My-Channel${query}`);
  assert.equal(loginUrl('https://site/login.php?', login), `https://site/login.php?s=My-Channel${query}`);
  assert.equal(
    loginUrl('https://site/ajax.php?action=x', login),
    `https://site/ajax.php?action=x&s=My-Channel${query}`,
  );
  assert.equal(
    logoutUrl('https://site/ajax.php?action=x&s=', 'My Channel'),
    'https://site/ajax.php?action=x&s=My-Channel',
  );
});

test('what an address lacks is empty, and its marker is no value', () => {
  const empty = { session: '', room: '', key: '', broadcaster: '', broadcasterId: '', ip: '::1' };
  assert.deepEqual(loginParams([], '::1'), empty);
  assert.deepEqual(loginParams(['bob', 'r', 'k', '0', 'videowhisper'], '::1'), {
    ...empty,
    session: 'bob',
    room: 'r',
    key: 'k',
    broadcaster: '0',
  });
  assert.equal(loginParams(['', 'room'], '::1').session, 'room');
  assert.equal(loginUrl('u?s=', loginParams(['bob'], '::1')), 'u?s=bob&p[]=bob&p[]=&p[]=&p[]=&p[]=&p[]=%3A%3A1');
});

const FILE_NAMES: readonly (readonly [session: string, file: string])[] = [
  ['bob', 'bob'],
  ['-name-', 'name'],
  ['My Channel', 'My-Channel'],
  ['a + b%20c', 'a-b-c'],
  ['a?[]/\\=<>:;,\'"&$#*()|~`!{}%’«»”“b', 'ab'],
  ['._-x-_.', 'x'],
  ['a--- -b', 'a-b'],
  ['../../etc/passwd', 'etcpasswd'],
  ['a..b', 'a.b'],
  ['shell.php.jpg', 'shell.php_.jpg'],
  ['a.b.c', 'a.b.c'],
  ['Crème Brûlée', 'Creme-Brulee'],
  ['Straße Ørsted', 'Strase-Orsted'],
  ['日本語 チャンネル', '日本語-チャンネル'],
  ['non\u00a0breaking', 'non-breaking'],
  ['***', ''],
];

test('a session is called as the plugin calls its file', async () => {
  for (const [session, file] of FILE_NAMES) {
    assert.equal(sanitiseFileName(session), file, session);
    assert.equal(sanitiseFileName(file), file, 'twice is once');
  }
  const program = `require 'test/helpers/wordpress-text.php';
    echo json_encode(array_map(file_name_of(...), json_decode(stream_get_contents(STDIN))));`;
  const files = FILE_NAMES.map(([, file]) => file);
  const byWordPress = JSON.parse(String(await runPhp(program, JSON.stringify(files))));
  assert.deepEqual(byWordPress, files, 'cleaning leaves these names alone, so the plugin finds what it wrote');
});

const VIEWER = { accepted: true, role: 'watcher', canKick: false } as const;
const BROADCASTER = { accepted: true, role: 'broadcaster', canKick: false } as const;
const WARNING = '<br />\n<b>Warning</b>:  Undefined array key 5 in <b>/srv/plugin.php</b> on line <b>12</b><br />\n';

test('an answer with a clear yes is a yes', () => {
  const answers: readonly (readonly [answer: string, meaning: object])[] = [
    ['login=1', VIEWER],
    ['VideoWhisper=1&login=1', VIEWER],
    ['VideoWhisper=1&login=1&webKey=k&start=1&ip=::1&canKick=0&debug=', VIEWER],
    ['VideoWhisper=1&login=1&webKey=k&start=1&ip=::1&canKick=1&debug=&role=1', { ...BROADCASTER, canKick: true }],
    ['VideoWhisper=1&login=1&role=1\t\t\t\t\t', BROADCASTER],
    ['VideoWhisper=1&login=1&role=1&rtmp_restrict_ip=1.2.3.4,5.6.7.8&webStatus=enabled', BROADCASTER],
    ['VideoWhisper=1&amp;login=1&amp;role=1', BROADCASTER],
    ['VideoWhisper=1&#038;login=1&#038;role=1', BROADCASTER],
    ['\ufeffVideoWhisper=1&login=1', VIEWER],
    ['\ufefflogin=1', VIEWER],
    ['\r\n  login=1\r\n', VIEWER],
    [`${WARNING}VideoWhisper=1&login=1&role=1`, BROADCASTER],
    [`${WARNING}login=1&role=1`, BROADCASTER],
    [`VideoWhisper=1&login=1&debug=&role=1${WARNING}`, BROADCASTER],
    ['\nNotice: Undefined offset: 5 in /srv/x.php on line 3\nVideoWhisper=1&login=1&role=1', BROADCASTER],
    ['login=1&role=1&role=0&login=0', BROADCASTER],
    ['login=1&role=0&role=1', VIEWER],
    ['login=1&role=true', VIEWER],
    ['login=1&canKick=yes&unknown=&=&&x', VIEWER],
    ['<p>login=1</p>', VIEWER],
  ];
  for (const [answer, meaning] of answers) assert.deepEqual(readLoginReply(answer, RULES), meaning, answer);
});

/** Nothing here may let anybody in. */
const HOSTILE = [
  ...[
    '',
    ' ',
    '\t\t\t',
    '0',
    '-1',
    '1',
    'true',
    'ok',
    'missing',
    'null',
    '{}',
    '{"login":1}',
    '[]',
    'login',
    'login=',
    'login:1',
  ],
  ...[
    'login=0',
    'login=00',
    'login=01',
    'login=1.0',
    'login=10',
    'login=11',
    'login=1x',
    'login=+1',
    'login=-1',
    'login=true',
    'login=yes',
  ],
  ...[
    'login=1;',
    'login="1"',
    'login=%31',
    'login==1',
    'login=1=1',
    'login=١',
    'login=１',
    'login = 1',
    'login\0=1',
    'log\nin=1',
    'login=\n1',
  ],
  ...[
    'xlogin=1',
    'login2=1',
    'Login=1',
    'LOGIN=1',
    'login[]=1',
    'rtmp_login=1',
    '?login=1',
    'x?login=1',
    '#login=1',
    '"login=1"',
    "'login=1'",
  ],
  ...[
    'login=0&login=1',
    '&login=0&login=1',
    'login=&login=1',
    'VideoWhisper=1&login=0&k=x&login=1',
    'login=0\nlogin=1',
    'login=0<br>login=1',
  ],
  ...[
    'VideoWhisper=1&login=0&missingSession=bob&invalid=0&verified=1&wrongKey=0&k=x&p=6',
    'VideoWhisper=1&login=0&nsf=1&v=1&i=0',
  ],
  ...[
    'login=<b>1',
    'login=<i></i>1',
    'login=0<!-- login=1 -->',
    '<!-- --><p>login=1',
    '<a href="&login=1">',
    '<input name="&login=1">',
  ],
  ...[
    '<!DOCTYPE html><p>login=1',
    '<html>login=1</html>',
    '<HTML lang="en"><body>&login=1',
    '<script>login=1</script>',
    '<title>x</title>login=1',
  ],
  ...[
    '<form action="?login=1">',
    '<style>&login=1</style>',
    '<iframe src=x></iframe>&login=1',
    '<head></head>\nlogin=1',
  ],
  ...[
    'Error: use ?s=..&amp;amp;login=1',
    'debug=login=1',
    'debug=%26login=1',
    'webKey=login=1',
    'Location: /?login=1',
    'login%3D1',
    'login&#61;1',
  ],
  ...[
    `${WARNING}`,
    `${WARNING}login=0`,
    'Warning: x in /srv/a.php?login=1 on line 2',
    'Fatal error: Uncaught TypeError',
    'Maintenance. login=1 soon',
  ],
  ...['\u0000login=1', 'lo\u00adgin=1', 'ｌogin=1', 'l\u043egin=1', '\ufffe\ufeffx=1', 'l\0o\0g\0i\0n\0=\x001\0'],
  `${'x'.repeat(MAX_LOGIN_ANSWER)}&login=1`,
];

test('no doubtful answer lets anybody in', () => {
  for (const answer of HOSTILE) {
    const reply = readLoginReply(answer, RULES);
    assert.equal(reply.accepted, false, JSON.stringify(answer.slice(0, 80)));
  }
});

test('a refusal says why, without a word of the answer', () => {
  const cases = [
    ['login=0', 'access/login', 'the web site refused the login'],
    ['login=0&wrongKey=1&k=secret', 'access/login', 'the web site refused the login: wrong key'],
    [
      'login=0&missingSession=bob&wrongKey=0',
      'access/login',
      'the web site refused the login: it does not know the session',
    ],
    ['', 'web/answer', 'the web site gave no answer to the login'],
    ['<html>', 'web/answer', 'the web site answered with a page'],
  ] as const;
  for (const [answer, code, reason] of cases)
    assert.deepEqual(readLoginReply(answer, RULES), { accepted: false, code, reason });
});

test('known to the site but not logged in is a yes only by policy', () => {
  const lenient = { ...RULES, acceptVerified: true };
  assert.deepEqual(readLoginReply('login=0&verified=1', lenient), VIEWER);
  assert.deepEqual(readLoginReply('login=0&v=1&role=1', lenient), BROADCASTER);
  for (const answer of [
    'login=0&verified=0',
    'verified=1',
    'login=&verified=1',
    'login=2&verified=1',
    'login=0&v=10',
  ]) {
    assert.equal(readLoginReply(answer, lenient).accepted, false, answer);
  }
  assert.equal(
    readLoginReply('login=0&verified=1', { ...lenient, webKey: 'k', webKeyCheck: 'require' }).accepted,
    false,
  );
});

test('the webKey in the answer is ours, as it is or as WordPress leaves it', () => {
  const echo = (webKey: string, answer: string, webKeyCheck: LoginRules['webKeyCheck'] = 'require') =>
    readLoginReply(`login=1${answer}`, { ...RULES, webKey, webKeyCheck });
  for (const value of [WEB_KEY, phpUrlEncode(WEB_KEY), 'pss+w1']) {
    assert.equal(echo(WEB_KEY, `&webKey=${value}`).accepted, true, value);
  }
  assert.equal(echo('a=b', '&webKey=a=b&role=1').accepted, true);
  assert.equal(echo('%41', '&webKey=%41').accepted, true);
  for (const value of ['', 'pss+w', 'PSS+W1', `${WEB_KEY}x`, 'other', '0', 'p@ss+w/ü']) {
    const code = 'access/webkey';
    const reason = 'the web site does not share our webKey';
    assert.deepEqual(echo(WEB_KEY, `&webKey=${value}`), { accepted: false, code, reason }, value);
    assert.deepEqual(echo(WEB_KEY, `&webKey=${value}`, 'match'), { accepted: false, code, reason }, value);
    assert.equal(echo(WEB_KEY, `&webKey=${value}`, 'off').accepted, true, value);
  }
  assert.equal(echo(WEB_KEY, '', 'match').accepted, true, 'missing');
  assert.equal(echo(WEB_KEY, '', 'require').accepted, false, 'missing');
  assert.equal(echo(WEB_KEY, `&webKey=other&webKey=${WEB_KEY}`).accepted, false, 'the first counts');
  assert.equal(echo('', '&webKey=anything').accepted, true, 'none set, none checked');
  assert.equal(echo('éé', '&webKey=', 'match').accepted, true, 'an echo that WordPress robbed of everything is none');
  assert.equal(echo('éé', '&webKey=', 'require').accepted, false);
});

let site: VendorSite;
before(async () => {
  site = await startVendorSite({ webKey: WEB_KEY, channels: { chan: { post: 4, owner: 2 } } });
});
after(() => site.stop());

const STRICT: LoginRules = { webKey: WEB_KEY, webKeyCheck: 'require', acceptVerified: false };

async function ask(url: string): Promise<string> {
  return (await fetch(url)).text();
}

test("the vendor's receiver is asked and understood", async () => {
  const key = broadcasterKey(WEB_KEY, 2, 4);
  for (const warning of ['none', 'front', 'behind'] as const) {
    await site.set({ warning });
    const login = loginParams(['-name-', 'chan', key, '1', '2', 'videowhisper'], '2001:db8::1');
    assert.deepEqual(readLoginReply(await ask(loginUrl(site.webLogin, login)), STRICT), BROADCASTER, warning);
    assert.deepEqual(await site.sessions(), ['name']);
    assert.match(await ask(logoutUrl(site.webLogout, '-name-')), /logout=1/);
    assert.deepEqual(await site.sessions(), []);

    const viewer = loginParams(['eve', 'chan', viewerKey(WEB_KEY, 4), '0', 'videowhisper'], '192.0.2.1');
    assert.deepEqual(readLoginReply(await ask(loginUrl(site.webLogin, viewer)), STRICT), VIEWER, warning);
    await ask(logoutUrl(site.webLogout, 'eve'));

    const wrong = readLoginReply(await ask(loginUrl(site.webLogin, { ...login, key: 'x' })), STRICT);
    assert.deepEqual(wrong, {
      accepted: false,
      code: 'access/login',
      reason: 'the web site refused the login: wrong key',
    });
  }
  const seen = (await site.calls())[0]!;
  assert.deepEqual(seen.p, ['-name-', 'chan', key, '1', '2', '2001:db8::1']);
});
