import assert from 'node:assert/strict';
import type { LookupFunction } from 'node:net';
import { it } from 'node:test';
import { sharedLookup } from '../../src/control/shared-lookup.ts';

type Answer = Parameters<LookupFunction>[2];

it('asks for a name once at a time, however many wait for it, and for each name by itself', () => {
  const asked: { readonly host: string; readonly answer: Answer }[] = [];
  const lookUp = sharedLookup((host, _options, answer) => void asked.push({ host, answer }));
  const heard: string[] = [];
  const ask = (who: string, host: string, family = 0) =>
    lookUp(host, { family }, (error, address) => heard.push(`${who} ${error?.code ?? String(address)}`));
  for (const who of ['a', 'b', 'c']) ask(who, 'dead.example');
  ask('d', 'well.example');
  ask('e', 'well.example', 6);
  assert.deepEqual(
    asked.map(({ host }) => host),
    ['dead.example', 'well.example', 'well.example'],
  );
  asked[1]!.answer(null, '192.0.2.1', 4);
  asked[0]!.answer(Object.assign(new Error('no'), { code: 'EAI_AGAIN' }), '', 0);
  assert.deepEqual(heard, ['d 192.0.2.1', 'a EAI_AGAIN', 'b EAI_AGAIN', 'c EAI_AGAIN']);
  ask('f', 'dead.example');
  assert.equal(asked.length, 4, 'an answer is not kept');
});
