/**
 * The keys that the vendor's pages put into a stream's query. Everything they are made of but webKey is on the wire, so castgate
 * checks them by itself, before anything is opened:
 *
 *   to publish   md5("vw" + webKey + userID + channel_id)
 *   to play      md5("vw" + webKey + channel_id), or the key to publish
 *
 * Nothing marks where one number ends, and the stream's name is not in it: the key to play channel 123 publishes as user 1 in channel
 * 23, under any name. That is the vendor's; docs/session-control.md says what to do about it.
 *
 * `transcoding` frees nobody, whatever it does at the site.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { SessionStream } from '../session/session.ts';
import { readStreamQuery } from '../session/stream-admission.ts';

/** Integers as PHP writes them: a site that reads `4abc` or `04` makes another number of it than it hashes. */
const PHP_INTEGER = /^(?:0|[1-9]\d{0,17})$/;
const MD5_HEX = /^[\da-f]{32}$/i;

/** Does `key` open `stream`? Takes as long for each wrong key. */
export function keyOpens(webKey: string, { query, doing }: SessionStream, key: string): boolean {
  const values = readStreamQuery(query);
  const user = values.get('userID') ?? '';
  const channel = values.get('channel_id') ?? '';
  if (webKey === '' || !MD5_HEX.test(key) || !PHP_INTEGER.test(channel)) return false;
  const given = Buffer.from(key.toLowerCase());
  const toPublish = timingSafeEqual(given, md5(`vw${webKey}${user}${channel}`)) && PHP_INTEGER.test(user);
  const toPlay = timingSafeEqual(given, md5(`vw${webKey}${channel}`)) && doing === 'play';
  return toPublish || toPlay;
}

/** As text, which is what is compared. */
function md5(text: string): Buffer {
  return Buffer.from(createHash('md5').update(text).digest('hex'));
}
