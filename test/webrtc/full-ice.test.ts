/**
 * An independent full-ICE agent, werift's, against our port: it checks, nominates, sends, and restarts.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Candidate, Connection } from 'werift';
import { systemClock } from '../../src/base/clock.ts';
import { quiet } from '../../src/base/log.ts';
import { systemRandom } from '../../src/base/random.ts';
import { makeMediaPort } from '../../src/webrtc/media-port.ts';
import { WEBRTC_DEFAULTS } from '../../src/webrtc/options.ts';
import type { IceCredentials, IceSession, Path } from '../../src/webrtc/path.ts';

const DTLS = Buffer.from('16fefd0000', 'hex');
const LOOPBACK = '127.0.0.1';

async function client(t: TestContext, protocol: 'udp' | 'tcp'): Promise<Connection> {
  const agent = new Connection(true, {
    ...{ useIpv4: true, useIpv6: false, useTcp: protocol === 'tcp', tcpPassive: false, stunGatherTimeout: 0 },
    additionalHostAddresses: [LOOPBACK],
    filterCandidatePair: (pair) => pair.localCandidate.host === LOOPBACK,
  });
  t.after(() => agent.close());
  await agent.gatherCandidates();
  return agent;
}

function credentials(agent: Connection): IceCredentials {
  return { ufrag: agent.localUsername, password: agent.localPassword };
}

for (const protocol of ['udp', 'tcp'] as const) {
  test(`connects over ${protocol}, and again after a restart`, async (t) => {
    const port = makeMediaPort({
      options: () => ({ ...WEBRTC_DEFAULTS, listen: `${LOOPBACK}:0`, tcpListen: `${LOOPBACK}:0` }),
      ...{ clock: systemClock, random: systemRandom(), log: quiet },
    });
    await port.start();
    t.after(() => port.close());
    const agent = await client(t, protocol);
    const paths: Path[] = [];
    const session = port.open(credentials(agent), {
      path: (path) => paths.push(path),
      datagram: (bytes, path) => path.send(bytes, 0, bytes.length),
      lost: () => assert.fail('lost'),
    });
    await meet(agent, session.local);
    assert.deepEqual([paths[0]!.protocol, paths[0]!.ip], [protocol, LOOPBACK]);
    await echoes(agent);
    const before = session.local;
    await agent.restart();
    const fresh = session.restart(credentials(agent));
    assert.notDeepEqual(fresh, before);
    await agent.gatherCandidates();
    await meet(agent, fresh);
    await echoes(agent);
    await agent.close();

    async function meet(agent: Connection, local: IceSession['local']): Promise<void> {
      agent.setRemoteParams({ iceLite: true, usernameFragment: local.ufrag, password: local.password });
      for (const { foundation, priority, ip, port: number, ...told } of port.candidates()) {
        if (told.protocol !== protocol) continue;
        const tcp = protocol === 'tcp' ? ' tcptype passive' : '';
        const line = `${foundation} 1 ${protocol} ${priority} ${ip} ${number} typ host${tcp}`;
        await agent.addRemoteCandidate(Candidate.fromSdp(line));
      }
      await agent.addRemoteCandidate(undefined);
      await agent.connect();
    }
  });
}

async function echoes(agent: Connection): Promise<void> {
  const answer = agent.onData.asPromise();
  await agent.send(DTLS);
  assert.deepEqual((await answer)[0], DTLS);
}
