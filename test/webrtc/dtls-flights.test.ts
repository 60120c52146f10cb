import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DtlsFlights, type FlightRecord } from '../../src/webrtc/dtls-flights.ts';
import { VirtualClock } from '../helpers/virtual-clock.ts';

function flights() {
  const clock = new VirtualClock();
  const sent: Buffer[] = [];
  const write = ({ text }: FlightRecord) => text;
  return { clock, sent, flights: new DtlsFlights(clock, write, (datagram) => sent.push(datagram)) };
}

function record(text: string | Buffer): FlightRecord {
  return { type: 22, epoch: 0, text: Buffer.from(text) };
}

test('a flight goes out in as few datagrams as it fits into', () => {
  const { sent, flights: ours } = flights();
  assert.deepEqual(
    [700, 500, 1, 1300, 20].map((size) => ours.add(record(Buffer.alloc(size, size % 256)))),
    [true, false, false, false, false],
  );
  assert.deepEqual(sent, [], 'not before it is launched');
  ours.launch(false);
  assert.deepEqual(
    sent.map(({ length }) => length),
    [1200, 1, 1300, 20],
  );
});

test('until it is answered it goes out again, slower and slower', () => {
  const { clock, sent, flights: ours } = flights();
  ours.add(record('flight'));
  ours.launch(true);
  const at: number[] = [];
  for (let tenth = 1; tenth <= 100; tenth++) {
    const before = sent.length;
    clock.advance(100);
    if (sent.length > before) at.push(tenth);
  }
  assert.deepEqual(at, [4, 12, 28, 60, 92]);
  ours.add(record('next'));
  ours.launch(false);
  clock.advance(60_000);
  assert.equal(sent.filter((datagram) => datagram.equals(Buffer.from('next'))).length, 1);
  assert.equal(clock.pending, 0);
});

test('a peer that says everything again gets one answer, not one for each message', () => {
  const { clock, sent, flights: ours } = flights();
  ours.add(record('flight'));
  ours.launch(false);
  ours.peerRepeats(false);
  assert.equal(sent.length, 1, 'it has only just gone out');
  clock.advance(100);
  for (let message = 0; message < 5; message++) ours.peerRepeats(false);
  assert.equal(sent.length, 2);
  ours.stop();
  clock.advance(100);
  ours.peerRepeats(false);
  assert.deepEqual(sent, [Buffer.from('flight'), Buffer.from('flight'), Buffer.from('flight')]);
});

test('who asks for ever is not answered for ever', () => {
  const { clock, sent, flights: ours } = flights();
  ours.add(record('flight'));
  ours.launch(true);
  for (let round = 0; round < 1000; round++) {
    clock.advance(1000);
    ours.peerRepeats(true);
  }
  assert.equal(sent.length, 24);
});

test('each time it goes out, its records are written anew', () => {
  const clock = new VirtualClock();
  const sent: string[] = [];
  let number = 0;
  const write = ({ text }: FlightRecord) => Buffer.from(`${text}${number++} `);
  const ours = new DtlsFlights(clock, write, (datagram) => sent.push(String(datagram)));
  ours.add(record('a'));
  ours.add(record('b'));
  ours.launch(true);
  clock.advance(400);
  assert.deepEqual(sent, ['a0 b1 ', 'a2 b3 ']);
  ours.stop();
});
