/**
 * Survival: whatever a visitor calls himself, the site can read the report; what was let in arrives as it was.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { phpSerialize } from '../../src/control/php.ts';
import { StatusForm, safeStreamQuery } from '../../src/control/web-status.ts';
import { phpUrlEncode } from '../../src/session/address.ts';
import { isSafeName, isSafeText, MAX_NAME_BYTES, safeText } from '../../src/session/safe-text.ts';
import { runPhp } from '../helpers/php.ts';
import { aSession } from '../helpers/sessions.ts';

const NAMES = 4_000;
const SEED = 20_240_611;

/** The pieces that hurt, and harmless ones between them. */
const piece = fc.oneof(
  fc.constantFrom(
    '%',
    '%4',
    '%41',
    '%2',
    '25',
    '41',
    '<',
    '>',
    '<b',
    '</b>',
    '<!--',
    '\\',
    '\\"',
    '"',
    "'",
    '";',
    '&',
    '&amp;',
    '&lt;',
  ),
  fc.constantFrom(
    '&quot;',
    ';',
    'a:1:{',
    '}',
    's:3:"',
    ' ',
    '  ',
    '\t',
    '\n',
    '\0',
    '\x7f',
    '\u0085',
    '\u00a0',
    '\u2028',
    '\ufeff',
    '\ufffd',
  ),
  fc.constantFrom(
    'é',
    '日本',
    '🎥',
    'e\u0301',
    '\ud800',
    '\udc00',
    '\uffff',
    '%C3%A9',
    '%3C',
    '%ff',
    '%ed%a0%80',
    '%00',
    '%zz',
    '%%%',
  ),
  fc.string({ unit: 'binary', maxLength: 6 }),
);
const hostileText = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));

/** For each text on the way in, what arrives behind WordPress's cleaner and `unserialize`; null where nothing can be read. */
async function throughWordPress(texts: readonly string[]): Promise<(string | null)[]> {
  const program = `require 'test/helpers/wordpress-text.php';
    foreach (json_decode(stream_get_contents(STDIN)) as $posted) {
      $_POST['users'] = base64_decode($posted);
      $read = @unserialize(received_field('users'));
      $out[] = is_array($read) ? base64_encode($read[0]) : null;
    }
    echo json_encode($out);`;
  const posted = texts.map((text) => Buffer.from(phpSerialize([text])).toString('base64'));
  const arrived = JSON.parse(String(await runPhp(program, JSON.stringify(posted)))) as (string | null)[];
  return arrived.map((encoded) => (encoded === null ? null : Buffer.from(encoded, 'base64').toString()));
}

test('a safe text arrives as it was', async () => {
  const samples = fc.sample(hostileText, { numRuns: NAMES, seed: SEED });
  const safe = [...samples.filter(isSafeText), ...samples.map((text) => safeText(text))];
  assert.ok(safe.length > NAMES + 100, 'the samples hold safe texts too');
  assert.deepEqual(await throughWordPress(safe), safe);
});

test('the cleaner is a real one: much of what is not safe is lost on the way', async () => {
  const unsafe = fc.sample(hostileText, { numRuns: NAMES, seed: SEED }).filter((text) => !isSafeText(text));
  const arrived = await throughWordPress(unsafe);
  const hurt = arrived.filter((text, index) => text !== unsafe[index]?.toWellFormed());
  assert.ok(hurt.length > unsafe.length / 4, `${hurt.length} of ${unsafe.length}`);
});

test('what was made safe is safe, and stays as it is', () => {
  fc.assert(
    fc.property(hostileText, fc.integer({ min: 0, max: 80 }), (text, maxBytes) => {
      const safe = safeText(text, maxBytes);
      assert.ok(isSafeText(safe));
      assert.ok(Buffer.byteLength(safe) <= maxBytes);
      assert.equal(safeText(safe, maxBytes), safe);
      if (isSafeName(text)) assert.equal(safeText(text, MAX_NAME_BYTES), text);
    }),
    { numRuns: 2_000 },
  );
});

test('a report of any sessions is read whole', async () => {
  const samples = fc.sample(fc.tuple(hostileText, hostileText, hostileText, fc.boolean()), {
    numRuns: 300,
    seed: SEED,
  });
  const sessions = samples.map(([name, room, query, webrtc]) => {
    const stream = { name: room, query: `room=${phpUrlEncode(query)}&key=${query}&userID=3`, doing: 'play' } as const;
    return aSession({ name, room, ip: query, transport: webrtc ? 'webrtc' : 'rtmp', stream });
  });
  const form = new StatusForm(sessions, 0, { appInstanceInfo: samples[0]![0], [samples[1]![0]]: 5 });
  while (form.write());
  const program = `require 'test/helpers/wordpress-text.php'; parse_str(stream_get_contents(STDIN), $_POST);
    foreach (['users', 'rtpsessions', 'aS'] as $field) {
      $read = unserialize(received_field($field));
      if (serialize($read) !== $_POST[$field]) { fwrite(STDERR, "$field was changed"); }
      $counts[] = count($read);
    }
    echo json_encode($counts);`;
  const counts = JSON.parse(String(await runPhp(program, form.body)));
  assert.deepEqual(counts, [form.users, form.rtpSessions, 2]);
  assert.equal(form.rtpSessions, samples.filter(([, , , webrtc]) => webrtc).length);
});

test('a stream query arrives without a percent code, its known fields only', () => {
  fc.assert(
    fc.property(hostileText, (value) => {
      const safe = safeStreamQuery(`room=${phpUrlEncode(value)}&ip=${phpUrlEncode(value)}`);
      assert.ok(isSafeText(safe));
      assert.match(safe, /^room=[^&]*$/);
    }),
  );
});
