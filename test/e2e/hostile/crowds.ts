/**
 * Strangers who are many, or who take their time.
 */
import assert from 'node:assert/strict';
import { commandBytes, HANDSHAKE, messageBytes } from '../../helpers/dialogue.ts';
import { avcBody } from '../../helpers/frames.ts';
import { connectBytes, type Family } from '../../helpers/hostile-town.ts';
import { until } from '../../helpers/program.ts';

const VIDEO = 9;
/** One name that was used once may cost this much for ever. */
const BYTES_PER_NAME = 1_024;

export const CROWDS: readonly Family[] = [
  {
    name: 'idle and slow',
    async run(town) {
      const many = Math.round(200 * town.scale);
      const crowd = (opening: readonly Buffer[]) =>
        Array.from({ length: many }, () => town.stranger().send(...opening));
      const hasSaid = [
        ...crowd([]),
        ...crowd([HANDSHAKE.subarray(0, 1)]),
        ...crowd([HANDSHAKE.subarray(0, 1_537)]),
        ...crowd([HANDSHAKE]),
        ...crowd([HANDSHAKE, connectBytes('free')]),
        ...crowd([HANDSHAKE, connectBytes('free'), commandBytes(0, ['createStream', 2, null])]),
      ];
      // one byte now and then does not move the deadline
      const dribble = setInterval(() => {
        for (const stranger of hasSaid.slice(many, 2 * many)) if (!stranger.closed) stranger.socket.write(Buffer.of(0));
      }, 200);
      try {
        await until('all are thrown out', () => hasSaid.every(({ closed }) => closed));
      } finally {
        clearInterval(dribble);
      }
    },
  },
  {
    name: 'half_closed and dead',
    async run(town) {
      const before = (await town.server.sessions()).length;
      await town.crowd(100, 25, async (index) => {
        const stranger = await town.insider();
        stranger.send(commandBytes(1, [index % 2 === 0 ? 'publish' : 'play', 3, null, `half${index}`]));
        // some end their half, some vanish with a reset, some fall silent as publishers
        if (index % 4 < 2) await stranger.done();
        else if (index % 4 === 3) stranger.socket.resetAndDestroy();
        else await stranger.thrownOut('a publisher fell silent');
      });
      await until('nobody is left', async () => (await town.server.sessions()).length === before);
    },
  },
  {
    name: 'name_flood',
    async run(town) {
      const names = Math.round(4_000 * town.scale);
      const perConnection = 50;
      const before = await town.server.resident();
      await town.crowd(4_000 / perConnection, 8, async (index) => {
        const stranger = await town.insider();
        for (let n = 0; n < perConnection; n++) {
          const name = `flood-${index}-${n}`;
          const verb = n % 2 === 0 ? 'publish' : 'play';
          stranger.send(
            commandBytes(1, [verb, 0, null, name]),
            messageBytes(VIDEO, 1, avcBody('config')),
            messageBytes(VIDEO, 1, avcBody('key', 2_000)),
            commandBytes(1, ['closeStream', 0, null]),
          );
        }
        await stranger.done();
      });
      const streams = await town.server.api<{ name: string }[]>('/v1/streams');
      assert.deepEqual(
        streams.filter(({ name }) => name.startsWith('flood')),
        [],
      );
      const grown = (await town.server.resident()) - before;
      const bound = (24 << 20) + names * BYTES_PER_NAME;
      assert.ok(grown < bound, `${names} names cost ${grown >> 10} KiB`);
    },
  },
  {
    name: 'connect_storm',
    async run(town) {
      await town.crowd(2_000, 100, async (index) => {
        const stranger = town.stranger();
        if (index % 3 === 0) stranger.send(HANDSHAKE, connectBytes('free'));
        else if (index % 3 === 1) stranger.send(HANDSHAKE, connectBytes(`nobody${index}`));
        await stranger.done();
      });
    },
  },
];
