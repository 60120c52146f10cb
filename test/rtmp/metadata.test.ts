import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeMetadata } from '../../src/rtmp/metadata.ts';
import { amfString, metadataBody } from '../helpers/frames.ts';

test('the claims that matter are read', () => {
  const facts = {
    ...{ width: 1920, height: 1080, framerate: 29.97, videodatarate: 2500, audiodatarate: 160 },
    ...{ audiosamplerate: 48_000, audiochannels: 2, encoder: 'obs-output module (libobs version 30.0)' },
  };
  assert.deepEqual(describeMetadata(metadataBody({ ...facts, filesize: 9, title: 'secret plans' })), facts);
});

test('claims of the wrong type or out of range are left out', () => {
  const facts = {
    width: 'wide',
    height: -1,
    framerate: Number.NaN,
    videodatarate: Number.POSITIVE_INFINITY,
    audiodatarate: 2e9,
    encoder: 7,
  };
  assert.deepEqual(describeMetadata(metadataBody(facts)), {});
});

test('text is cleaned and cut', () => {
  const read = (encoder: string) => describeMetadata(metadataBody({ encoder })).encoder;
  assert.equal(read(' a\r\n\u0000b\u001b[31m\u202ec\u2028d '), 'a b [31m c d');
  assert.equal(read('\u0007'), undefined);
  assert.equal(read('é'.repeat(1000)), 'é'.repeat(128));
  assert.equal(read('😀'.repeat(200)), '😀'.repeat(128));
});

test('names are taken from the message, never from a prototype', () => {
  assert.deepEqual(describeMetadata(metadataBody({ __proto__: 'x', constructor: 1, toString: 2 } as never)), {});
});

test('what is no metadata says nothing', () => {
  const good = metadataBody({ width: 64 });
  for (let length = 0; length < good.length; length++) assert.deepEqual(describeMetadata(good.subarray(0, length)), {});
  assert.deepEqual(describeMetadata(amfString('onMetaData')), {});
  assert.deepEqual(describeMetadata(Buffer.concat([amfString('onMetaData'), Buffer.of(5)])), {});
});
