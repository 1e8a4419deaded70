import { afterEach, describe, expect, test } from 'vitest';
import { calm, type Weather } from '../log/memory-log.ts';
import { leaseMs } from './lease.ts';
import { SimulatedSet } from './testing/simulated-set.ts';
import { Simulation } from './testing/simulation.ts';
import type { Node } from './testing/simulated-set.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);

let sets: SimulatedSet[] = [];
afterEach(async () => {
  await Promise.all(sets.map((set) => set.stop()));
  sets = [];
});

async function started(
  names = ['a', 'b', 'c'],
  weather?: (name: string) => Weather,
): Promise<{ simulation: Simulation; set: SimulatedSet }> {
  const simulation = new Simulation(7);
  const set = new SimulatedSet(simulation, names, weather);
  sets.push(set);
  await simulation.until(() => set.nodes.every(({ member }) => member.state === 'following'), 1000, 'all follow');
  return { simulation, set };
}

async function promoted(simulation: Simulation, node: Node, term: number) {
  const reply = node.member.promote(term);
  await simulation.run(100);
  return reply;
}

describe('a replica set', () => {
  test('a promoted replica leads, and what it acknowledges is on all', async () => {
    const { simulation, set } = await started();
    expect(await promoted(simulation, set.node('a'), 1)).toEqual({ ok: true, term: 1, applied: 1 });
    const seqs = Promise.all(['x', 'y', 'z'].map((text) => set.node('a').member.propose(bytes(text))));
    await simulation.run(100);
    expect(await seqs).toEqual([2, 2, 2]);
    for (const { machine } of set.nodes) expect(machine.operations).toEqual(['x', 'y', 'z']);
  });

  test('promoting again with the own term answers ok, with an older one stale-term', async () => {
    const { simulation, set } = await started();
    await promoted(simulation, set.node('a'), 5);
    expect(await promoted(simulation, set.node('a'), 5)).toMatchObject({ ok: true, term: 5 });
    expect(await promoted(simulation, set.node('b'), 5)).toMatchObject({ ok: false, code: 'stale-term', term: 5 });
    expect(await promoted(simulation, set.node('b'), 4)).toMatchObject({ ok: false, code: 'stale-term', term: 5 });
  });

  test('a follower refuses proposals and barriers as not-primary', async () => {
    const { set } = await started();
    await expect(set.node('b').member.propose(bytes('x'))).rejects.toMatchObject({ code: 'not-primary' });
    await expect(set.node('b').member.readBarrier()).rejects.toMatchObject({ code: 'not-primary' });
  });

  test('a higher term deposes: the old primary stops and its waiting operations are not executed', async () => {
    const { simulation, set } = await started();
    const [a, b] = [set.node('a'), set.node('b')];
    await promoted(simulation, a, 1);
    a.process.stopped = true;
    const lost = a.member.propose(bytes('lost')).then(
      () => 'acknowledged',
      (error: { code: string }) => error.code,
    );
    await promoted(simulation, b, 2);
    a.process.stopped = false;
    await simulation.run(1000);
    expect(a.member.leading).toBe(false);
    expect(b.member.leading).toBe(true);
    expect(['not-primary', 'acknowledged']).toContain(await lost);
    const operations = (await lost) === 'acknowledged' ? ['lost'] : [];
    for (const { machine } of set.nodes) expect(machine.operations).toEqual(operations);
  });

  test('a new primary withholds acknowledgements and reads until the old lease has run out', async () => {
    const { simulation, set } = await started();
    const [a, b] = [set.node('a'), set.node('b')];
    await promoted(simulation, a, 1);
    const first = a.member.propose(bytes('1'));
    await simulation.run(50);
    await first;
    expect(a.member.mayRead()).toBe(true);
    a.process.stopped = true;
    const from = simulation.now;
    await promoted(simulation, b, 2);
    expect(b.member.leading).toBe(true);
    expect(b.member.mayRead()).toBe(false);
    let acknowledgedAt = 0;
    void b.member.propose(bytes('2')).then(() => (acknowledgedAt = simulation.now));
    await simulation.run(leaseMs / 2);
    expect(acknowledgedAt).toBe(0);
    await simulation.run(leaseMs);
    expect(acknowledgedAt - from).toBeGreaterThan(leaseMs - 100);
    expect(acknowledgedAt - from).toBeLessThan(leaseMs * 1.2);
  });

  test('a planned switchover does not wait: the old primary gives its lease up in the log', async () => {
    const { simulation, set } = await started();
    const [a, b] = [set.node('a'), set.node('b')];
    await promoted(simulation, a, 1);
    const down = a.member.stepDown();
    await simulation.run(100);
    await down;
    expect(a.member.leading).toBe(false);
    await promoted(simulation, b, 2);
    const write = b.member.propose(bytes('2'));
    const from = simulation.now;
    await simulation.run(50);
    await write;
    expect(simulation.now - from).toBeLessThan(100);
  });

  test('step-down settles what waits before it gives up', async () => {
    const { simulation, set } = await started();
    const a = set.node('a');
    await promoted(simulation, a, 1);
    const writes = Promise.all(Array.from({ length: 50 }, (_, i) => a.member.propose(bytes(`${i}`))));
    const down = a.member.stepDown();
    await expect(a.member.propose(bytes('late'))).rejects.toMatchObject({ code: 'not-primary' });
    await simulation.run(200);
    await down;
    expect(await writes).toHaveLength(50);
  });

  test('reads keep the lease alive, and without reads it runs out', async () => {
    const { simulation, set } = await started();
    const a = set.node('a');
    await promoted(simulation, a, 1);
    for (let i = 0; i < 20; i++) {
      await simulation.run(500);
      if (i > 0) expect(a.member.mayRead(), `after ${i}`).toBe(true);
      else a.member.mayRead();
    }
    const before = set.stream.last;
    await simulation.run(60_000);
    expect(a.member.mayRead()).toBe(false);
    expect(set.stream.last - before).toBeLessThan(4);
    const read = a.member.readBarrier();
    await simulation.run(50);
    await read;
    expect(a.member.mayRead()).toBe(true);
  });

  test('a killed primary that comes back follows, even if nobody took over', async () => {
    const { simulation, set } = await started();
    await promoted(simulation, set.node('a'), 1);
    set.restart(set.node('a'));
    await simulation.run(1000);
    expect(set.node('a').member.state).toBe('following');
    expect(await promoted(simulation, set.node('a'), 2)).toMatchObject({ ok: true });
  });

  test('a replica that needs trimmed entries restores a peer snapshot and follows on', async () => {
    const { simulation, set } = await started();
    const [a, c] = [set.node('a'), set.node('c')];
    await promoted(simulation, a, 1);
    c.process.stopped = true;
    for (let i = 0; i < 20; i++) {
      const write = a.member.propose(bytes(`${i}`));
      await simulation.run(20);
      await write;
    }
    set.stream.trim(15);
    c.process.stopped = false;
    set.restart(c);
    await simulation.run(3000);
    expect(c.machine.restored).toBe(1);
    expect(c.machine.operations).toEqual(a.machine.operations);
    expect(c.member.state).toBe('following');
  });

  test('a recreated log halts all replicas, and they say why', async () => {
    const { simulation, set } = await started();
    await promoted(simulation, set.node('a'), 1);
    set.stream.recreate('memory-2');
    await simulation.run(10_000);
    for (const { member } of set.nodes) {
      expect(member.state).toBe('halted');
      expect(member.report().reason).toMatch(/another history|recreated/);
    }
  });

  test('a log that refuses for lack of space fails writes as log-full, and works again when there is space', async () => {
    const { simulation, set } = await started();
    const a = set.node('a');
    await promoted(simulation, a, 1);
    set.stream.capacity = 1;
    const refused = expect(a.member.propose(bytes('x'))).rejects.toMatchObject({ code: 'log-full' });
    await simulation.run(100);
    await refused;
    expect(a.machine.leads).toEqual([1, 1]);
    set.stream.capacity = 100;
    const write = a.member.propose(bytes('y'));
    await simulation.run(100);
    await write;
    expect(a.machine.operations).toEqual(['y']);
  });

  test('a primary whose store hangs gives up, says so, and follows again when the store works', async () => {
    const { simulation, set } = await started();
    const [a, b] = [set.node('a'), set.node('b')];
    await promoted(simulation, a, 1);
    const { promise, resolve } = Promise.withResolvers<void>();
    a.machine.beforeApply = () => promise;
    const hanging = expect(a.member.propose(bytes('x'))).rejects.toMatchObject({ code: 'unknown-outcome' });
    await simulation.run(6_000);
    await hanging;
    expect(a.member.leading).toBe(false);
    expect(a.member.report()).toMatchObject({ state: 'halted', reason: expect.stringMatching(/disk/) });
    expect(await promoted(simulation, a, 2)).toMatchObject({ ok: false, code: 'not-ready' });
    expect(await promoted(simulation, b, 2)).toMatchObject({ ok: true });
    a.machine.beforeApply = async () => {};
    resolve();
    await simulation.run(1_000);
    expect(a.member.state).toBe('following');
    expect(a.machine.operations).toEqual(b.machine.operations);
  });

  test('a primary whose writes to the disk hang gives up in bounded time, and says so', async () => {
    const { simulation, set } = await started();
    const a = set.node('a');
    await promoted(simulation, a, 1);
    const { promise, resolve } = Promise.withResolvers<void>();
    a.machine.flush = () => promise;
    const flushed = a.member.flush();
    await simulation.run(10_500);
    expect(a.member.leading).toBe(false);
    expect(a.member.report()).toMatchObject({ state: 'halted', reason: expect.stringMatching(/disk/) });
    resolve();
    await flushed;
    await simulation.run(500);
    expect(a.member.state).toBe('following');
  });

  test('a primary that does not reach the log reports that it leads no more, idle or not', async () => {
    let away: string | null = null;
    const { simulation, set } = await started(['a', 'b', 'c'], (name) => ({
      ...calm,
      reachable: () => away !== name,
      append: () => (away === name ? 'not-taken' : 'through'),
      delayMs: () => 1,
    }));
    const [a, b] = [set.node('a'), set.node('b')];
    await promoted(simulation, a, 1);
    await simulation.run(60_000);
    expect(a.member.state, 'an idle log is no reason').toBe('primary');
    away = 'a';
    const stuck = expect(a.member.propose(bytes('x'))).rejects.toMatchObject({ code: 'unknown-outcome' });
    await simulation.run(12_500);
    await stuck;
    expect(a.member.report()).toMatchObject({ state: 'following', reason: expect.stringMatching(/did not reach/) });
    expect(await promoted(simulation, b, 2)).toMatchObject({ ok: true });
    away = 'b';
    await simulation.run(15_000);
    expect(b.member.state, 'an idle primary finds out too').toBe('following');
  });

  test('a resignation is not written while the lease of an earlier primary may run', async () => {
    const { simulation, set } = await started();
    const [a, b, c] = [set.node('a'), set.node('b'), set.node('c')];
    await promoted(simulation, a, 1);
    void a.member.propose(bytes('1'));
    await simulation.run(50);
    a.process.stopped = true;
    await promoted(simulation, b, 2);
    const down = b.member.stepDown();
    await simulation.run(100);
    await down;
    await promoted(simulation, c, 3);
    const from = simulation.now;
    let acknowledgedAt = 0;
    void c.member.propose(bytes('2')).then(() => (acknowledgedAt = simulation.now));
    await simulation.run(2 * leaseMs);
    expect(acknowledgedAt - from).toBeGreaterThan(leaseMs / 2);
  });

  test('a barrier that was held back is not granted once another primary took over', async () => {
    const { simulation, set } = await started();
    const [a, b, c] = [set.node('a'), set.node('b'), set.node('c')];
    await promoted(simulation, a, 1);
    void a.member.propose(bytes('1'));
    await simulation.run(50);
    a.process.stopped = true;
    await promoted(simulation, b, 2);
    const read = expect(b.member.readBarrier()).rejects.toMatchObject({ code: 'not-primary' });
    await simulation.run(100);
    await promoted(simulation, c, 3);
    await simulation.run(2 * leaseMs);
    await read;
  });

  test('answers that a new primary holds back do not leave with those of its earlier term', async () => {
    const { simulation, set } = await started();
    const [a, b] = [set.node('a'), set.node('b')];
    await promoted(simulation, b, 1);
    void b.member.propose(bytes('1'));
    await simulation.run(50);
    await promoted(simulation, a, 2);
    void a.member.propose(bytes('2'));
    await simulation.run(900);
    await promoted(simulation, b, 3);
    void b.member.propose(bytes('3'));
    await simulation.run(50);
    await promoted(simulation, a, 4);
    const from = simulation.now;
    let acknowledgedAt = 0;
    void a.member.propose(bytes('4')).then(() => (acknowledgedAt = simulation.now));
    await simulation.run(2 * leaseMs);
    expect(acknowledgedAt - from).toBeGreaterThan(leaseMs * 0.9);
  });

  test('an operation beyond the entry size is refused as too-large', async () => {
    const { simulation, set } = await started();
    await promoted(simulation, set.node('a'), 1);
    const huge = new Uint8Array(4 * 1024 * 1024);
    await expect(set.node('a').member.propose(huge)).rejects.toMatchObject({ code: 'too-large' });
  });
});
