/**
 * Strangers who send what is not theirs to send, and viewers who take nothing.
 */
import assert from 'node:assert/strict';
import { commandBytes, messageBytes } from '../../helpers/dialogue.ts';
import { aacBody, avcBody, metadataBody } from '../../helpers/frames.ts';
import type { Family, HostileTown, Stranger } from '../../helpers/hostile-town.ts';
import { until } from '../../helpers/program.ts';

const AUDIO = 8;
const VIDEO = 9;
const DATA = 18;
const AGGREGATE = 22;

/** What a viewer would notice, on streams 0 to 3, and once more as an aggregate. */
function foreignMedia(): Buffer {
  const messages = [0, 1, 2, 3].flatMap((stream) => [
    messageBytes(DATA, stream, metadataBody({ foreign: 1 })),
    messageBytes(VIDEO, stream, avcBody('config')),
    messageBytes(VIDEO, stream, avcBody('key', 400, 0, 0xee)),
    messageBytes(AUDIO, stream, aacBody('delta', 40, 0xee)),
    messageBytes(AGGREGATE, stream, aggregate(avcBody('key', 400, 0, 0xee))),
  ]);
  return Buffer.concat(messages);
}

/** RTMP 7.1.6: one FLV tag. */
function aggregate(body: Buffer): Buffer {
  const header = Buffer.alloc(11);
  header[0] = VIDEO;
  header.writeUIntBE(body.length, 1, 3);
  const back = Buffer.alloc(4);
  back.writeUInt32BE(11 + body.length);
  return Buffer.concat([header, body, back]);
}

async function injecting(town: HostileTown, app: string, ...commands: readonly Buffer[]): Promise<Stranger> {
  const stranger = await town.insider(app);
  stranger.send(...commands);
  for (let n = 0; n < 20; n++) stranger.send(foreignMedia());
  return stranger;
}

const publish = (name: string) => commandBytes(1, ['publish', 3, null, name, 'live']);
const play = (name: string) => commandBytes(1, ['play', 3, null, name]);

export const MEDIA: readonly Family[] = [
  {
    name: 'media_injection',
    async run(town) {
      const viewer = await town.client('play', 'watch', 'target').begun();
      await town.crowd(60, 10, async () => {
        const strangers = [
          await injecting(town, 'free'),
          await injecting(town, 'free', play('healthy')),
          await injecting(town, 'free', publish('healthy')),
          await injecting(town, 'free', publish('healthy'), publish('healthy'), play('healthy')),
          await injecting(town, 'watch', publish('target')),
          await injecting(town, 'watch', play('target')),
        ];
        await Promise.all(strangers.map((stranger) => stranger.done()));
        for (const each of [strangers[2]!, strangers[3]!, strangers[4]!]) {
          assert.match(each.heard, /NetStream\.Publish\.(BadName|Denied)/);
          assert.doesNotMatch(each.heard, /NetStream\.Publish\.Start/);
        }
      });
      const foreign = viewer.received.filter(({ typeId, body }) => typeId !== DATA || body.includes('foreign'));
      assert.deepEqual(foreign, [], 'whoever was refused is seen by nobody');
      await viewer.leave();
    },
  },
  {
    name: 'takeover',
    async run(town) {
      // without a key in common nobody takes a name that is in use, in whatever hurry
      const owner = await town.client('publish', 'free', 'owned').begun();
      const viewer = await town.client('play', 'free', 'owned').begun();
      const mine = avcBody('key', 300, 0, 1);
      owner.write(VIDEO, 0, avcBody('config'));
      await town.crowd(150, 30, async (index) => {
        const stranger = await injecting(town, 'free', publish('owned'));
        owner.write(VIDEO, 40 + index, mine);
        await stranger.done();
      });
      const sent = Math.round(150 * town.scale);
      const pictures = () => viewer.received.filter(({ typeId, body }) => typeId === VIDEO && body[1] === 1);
      await until('all pictures of the owner arrive', () => pictures().length >= sent);
      for (const { body } of pictures()) assert.ok(body.equals(mine));
      assert.equal(pictures().length, sent);
      await viewer.leave();
      await owner.leave();
    },
  },
  {
    name: 'slow_readers',
    async run(town) {
      const before = await town.server.resident();
      const owner = await town.client('publish', 'free', 'bulky').begun();
      owner.write(VIDEO, 0, avcBody('config'));
      const readers = await Promise.all(Array.from({ length: 20 }, () => town.insider('free', { reads: false })));
      for (const reader of readers) reader.send(play('bulky'));
      const playing = async () => {
        const sessions = await town.server.sessions();
        return sessions.filter(({ stream, state }) => stream === 'bulky' && state === 'playing').length;
      };
      await until('all of them play', async () => (await playing()) === readers.length);
      let time = 0;
      let largest = 0;
      // each goes when it has taken nothing for a while; none keeps what is sent meanwhile
      await until('all slow viewers are cut', async () => {
        for (let n = 0; n < 10; n++) {
          owner.write(VIDEO, time, avcBody(time % 1_000 === 0 ? 'key' : 'delta', 40_000));
          time += 40;
        }
        largest = Math.max(largest, (await town.server.resident()) - before);
        return (await playing()) === 0;
      });
      for (const { socket } of readers) socket.destroy();
      assert.ok(!owner.closed, 'a publisher does not suffer from its viewers');
      // 20 queues of 1 MiB, 16 MiB for the last group of pictures, and what the collector has not got to
      assert.ok(largest < 160 << 20, `slow viewers cost ${largest >> 20} MiB`);
      await owner.leave();
    },
  },
];
