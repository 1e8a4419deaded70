import { decodeEntry } from '../log/entry.ts';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AppendFault, Weather } from '../log/memory-log.ts';
import { SimulatedSet, type Node } from './simulated-set.ts';
import { Simulation } from './simulation.ts';

// Several replicas, clients that write and read, and everything that may go wrong with a log and with processes, under
// one seed. What is checked is what a user may rely on: see `verify`.

interface Write {
  readonly text: string;
  outcome: 'open' | 'acknowledged' | 'unknown' | 'refused';
  acknowledgedAt: number;
  readonly startedAt: number;
}

interface Read {
  readonly startedAt: number;
  readonly endedAt: number;
  readonly seen: readonly string[];
}

class Chaos {
  readonly simulation: Simulation;
  readonly set: SimulatedSet;
  readonly writes: Write[] = [];
  readonly reads: Read[] = [];
  #stormy = true;
  #term = 0;
  #number = 0;

  constructor(seed: number) {
    this.simulation = new Simulation(seed);
    this.set = new SimulatedSet(this.simulation, ['a', 'b', 'c'], this.#weather());
  }

  #weather(): Weather {
    const { simulation } = this;
    return {
      append: () => (this.#stormy ? simulation.pick(faults) : 'through'),
      reachable: () => !this.#stormy || simulation.random() > 0.02,
      delayMs: () => 1 + Math.floor(simulation.random() * (this.#stormy ? 30 : 3)),
      lateMs: () => 5 + Math.floor(simulation.random() * 6_000),
      network: simulation.process(),
    };
  }

  write(node: Node): void {
    if (node.process.stopped) return;
    const write: Write = {
      text: `${this.#number++}`,
      outcome: 'open',
      acknowledgedAt: 0,
      startedAt: this.simulation.now,
    };
    this.writes.push(write);
    const { process, starts } = node;
    node.member.propose(Buffer.from(write.text)).then(
      () => {
        // A client of a process that was killed meanwhile hears nothing.
        if (node.starts !== starts || process.stopped) return;
        write.outcome = 'acknowledged';
        write.acknowledgedAt = this.simulation.now;
      },
      (error: { code: string }) => (write.outcome = error.code === 'unknown-outcome' ? 'unknown' : 'refused'),
    );
  }

  /** A linearizable read, by lease or by barrier. */
  read(node: Node): void {
    if (node.process.stopped) return;
    const startedAt = this.simulation.now;
    const { process, starts } = node;
    node.member.readBarrier().then(
      () => {
        if (node.starts !== starts || process.stopped) return;
        if (globalThis.process.env['TRACE']) globalThis.process.stdout.write(`${this.simulation.now} read ${node.name} saw ${node.machine.operations.length} started ${startedAt} term ${node.member.term}\n`);
        this.reads.push({ startedAt, endedAt: this.simulation.now, seen: [...node.machine.operations] });
      },
      () => {},
    );
  }

  promote(node: Node): void {
    this.#term = Math.max(this.#term, ...this.set.nodes.map(({ member }) => member.term)) + 1;
    void node.member.promote(this.#term);
  }

  step(): void {
    if (process.env['TRACE']) process.stdout.write(`${this.simulation.now} ` + this.set.nodes.map((n) => `${n.name}:${n.process.stopped ? 'S' : ''}${n.member.state} t${n.member.term} a${n.member.applied}`).join(' ') + ` last ${this.set.stream.last}\n`);
    const node = this.simulation.pick(this.set.nodes);
    const leaders = this.set.nodes.filter(({ member, process }) => member.leading && !process.stopped);
    const target = leaders.length > 0 && this.simulation.random() < 0.9 ? this.simulation.pick(leaders) : node;
    const dice = this.simulation.random();
    if (node.process.stopped && dice < 0.15) this.#resume(node);
    else if (dice < 0.45) for (let i = 0; i < 5; i++) this.write(target);
    else if (dice < 0.85) this.read(target);
    else if (dice < 0.9) this.promote(node);
    else if (dice < 0.94) target.process.stopped = true;
    else if (dice < 0.96) this.set.restart(node);
    else if (dice < 0.98) void target.member.stepDown();
  }

  /** What clients sent to it meanwhile is the first that it sees. */
  #resume(node: Node): void {
    node.process.stopped = false;
    this.read(node);
    this.write(node);
  }

  async run(steps: number): Promise<void> {
    await this.simulation.run(500);
    this.promote(this.set.nodes[0] as Node);
    for (let i = 0; i < steps; i++) {
      this.step();
      await this.simulation.run(Math.floor(this.simulation.random() * 150));
    }
    await this.calmDown();
  }

  /** The weather turns fair: a primary is made, it writes, and all replicas come to the end of the log. */
  async calmDown(): Promise<void> {
    this.#stormy = false;
    for (const node of this.set.nodes) node.process.stopped = false;
    const { nodes } = this.set;
    await this.simulation.run(15_000);
    await this.simulation.until(() => nodes.every(({ member }) => member.state !== 'starting'), 60_000, 'all follow');
    this.promote(nodes[0] as Node);
    await this.simulation.run(5_000);
    this.write(nodes[0] as Node);
    await this.simulation.run(5_000);
    const caughtUp = () => nodes.every(({ member }) => member.applied === this.set.stream.last);
    await this.simulation.until(caughtUp, 60_000, 'all at the end of the log');
  }

  verify(): void {
    const [first, ...others] = this.set.nodes.map(({ machine }) => machine.operations);
    if (first === undefined) throw new Error('no replica');
    for (const other of others) expect(other, 'all replicas hold the same').toEqual(first);
    const places = new Map(first.map((text, index) => [text, index]));
    expect(places.size, 'nothing is there twice').toBe(first.length);
    for (const { text, outcome } of this.writes) {
      if (outcome === 'acknowledged') expect(places.has(text), `acknowledged ${text} is there`).toBe(true);
      if (outcome === 'refused') expect(places.has(text), `refused ${text} is not there`).toBe(false);
    }
    this.#verifyOrder(places);
    for (const read of this.reads) this.#verifyRead(read, first, places);
    expect(this.writes.at(-1)?.outcome, 'it works again in the end').toBe('acknowledged');
    for (const { machine } of this.set.nodes) {
      expect(machine.times, 'log time does not run backwards').toEqual(machine.times.toSorted((a, b) => a - b));
    }
  }

  /** A write that began after another was acknowledged comes after it. */
  #verifyOrder(places: ReadonlyMap<string, number>): void {
    const acknowledged = this.writes.filter(({ outcome }) => outcome === 'acknowledged');
    const byEnd = acknowledged.toSorted((a, b) => a.acknowledgedAt - b.acknowledgedAt);
    let latest = -1;
    let next = 0;
    for (const write of acknowledged) {
      while ((byEnd[next]?.acknowledgedAt ?? Infinity) < write.startedAt) {
        latest = Math.max(latest, places.get(byEnd[next]?.text ?? '') ?? -1);
        next += 1;
      }
      expect(places.get(write.text), `${write.text} comes after what was acknowledged before it`).toBeGreaterThan(
        latest,
      );
    }
  }

  /** What was read is a prefix of the history that holds all that was acknowledged, or read, before the read began. */
  #verifyRead(read: Read, history: readonly string[], places: ReadonlyMap<string, number>): void {
    expect(read.seen, 'a read sees a prefix of the history').toEqual(history.slice(0, read.seen.length));
    for (const { text, outcome, acknowledgedAt } of this.writes) {
      if (outcome !== 'acknowledged' || acknowledgedAt >= read.startedAt) continue;
      const message = `a read at ${read.startedAt} sees ${text}, acknowledged at ${acknowledgedAt}`;
      expect(places.get(text), message).toBeLessThan(read.seen.length);
    }
    for (const earlier of this.reads) {
      if (earlier.endedAt >= read.startedAt) continue;
      const message = `a read at ${read.startedAt} sees no less than one that ended at ${earlier.endedAt}`;
      expect(read.seen.length, message).toBeGreaterThanOrEqual(earlier.seen.length);
    }
  }
}

const faults: readonly AppendFault[] = [
  ...Array<AppendFault>(14).fill('through'),
  'request-lost',
  'answer-lost',
  'answer-lost',
  'late',
  'not-taken',
];

test('under lost, late and repeated appends, pauses, kills and rival primaries every promise holds', async () => {
  const runs = Number(process.env['QUARTET_CHAOS_RUNS'] ?? 40);
  await fc.assert(
    fc.asyncProperty(process.env['QUARTET_CHAOS_SEED'] ? fc.constant(Number(process.env['QUARTET_CHAOS_SEED'])) : fc.integer({ min: 1, max: 2 ** 31 }), async (seed) => {
      const chaos = new Chaos(seed);
      await chaos.run(150);
      if (process.env['TRACE']) for (let q = 1; q <= chaos.set.stream.last; q++) { const d = decodeEntry(chaos.set.stream.at(q)!.bytes); if (d.ok) process.stdout.write(`E ${q} ${d.entry.kind} t${d.entry.term} ${d.entry.writer} ${d.entry.operations.map((o) => Buffer.from(o).toString()).join()} at ${d.entry.time - 1_700_000_000_000}\n`); }
      chaos.verify();
      if (process.env['QUARTET_CHAOS_STATS']) {
        const c: Record<string, number> = {};
        for (const w of chaos.writes) c[w.outcome] = (c[w.outcome] ?? 0) + 1;
        process.stdout.write(
          JSON.stringify({
            seed,
            ...c,
            reads: chaos.reads.length,
            last: chaos.set.stream.last,
            term: chaos.set.nodes[0]?.member.term,
          }) + '\n',
        );
      }
      await chaos.set.stop();
    }),
    { numRuns: runs, endOnFailure: true },
  );
}, 300_000);
