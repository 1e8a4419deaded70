import type { CommittedEntry } from '../../../replica/state-machine.ts';
import { EffectWriter } from '../../store/effects.ts';
import { encodeNote, noteName } from '../../two-phase/note.ts';
import { openTransactionOf } from '../consistency/transaction-event.ts';
import type { Bounds } from '../consistency/transaction-history.ts';
import type { Replayed } from '../replay.ts';

/** Numbers between 0 and 1, the same for the same seed (mulberry32). */
export const randomOf = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

/** A step of a transaction at one shard, which comes after others. */
interface Step {
  readonly shard: string;
  readonly act: (log: ShardLog) => void;
}

/** What one shard has written, and its state, with every transaction adding its id to each shard it takes part in. */
class ShardLog {
  readonly name: string;
  readonly skewMs: number;
  readonly entries: CommittedEntry[] = [];
  readonly notes = new Map<string, Buffer>();
  /** Notes, and ids that were carried out, after each entry. */
  readonly states: { readonly notes: ReadonlyMap<string, Buffer>; readonly done: ReadonlySet<string> }[] = [];
  readonly done = new Set<string>();

  constructor(name: string, skewMs: number) {
    this.name = name;
    this.skewMs = skewMs;
  }

  append(now: number, operation: Buffer): void {
    const last = this.entries.at(-1);
    const time = Math.max(last?.time ?? 0, now + this.skewMs);
    this.entries.push({ seq: (last?.seq ?? 0) + 1, term: 1, time, operations: [operation] });
    this.states.push({ notes: new Map(this.notes), done: new Set(this.done) });
  }

  get end(): number {
    return this.entries.length;
  }
}

export interface RunOptions {
  readonly seed: number;
  readonly shards: number;
  readonly transactions: number;
  /** Clocks of shards are at most so far apart, milliseconds. */
  readonly maxSkewMs: number;
}

/** What a backup of a run knows, and what the run itself knows. */
export interface Run {
  readonly bounds: ReadonlyMap<string, Bounds>;
  /** Behind the snapshots, up to where they were copied. */
  readonly logs: ReadonlyMap<string, readonly Replayed[]>;
  /** Moments, milliseconds. */
  readonly from: number;
  readonly through: number;
  /** Transactions and who takes part. */
  readonly participants: ReadonlyMap<string, readonly string[]>;
  stateAt(
    shard: string,
    seq: number,
  ): { readonly notes: ReadonlyMap<string, Buffer>; readonly done: ReadonlySet<string> };
}

/** Effects of a part that name its transaction: what is carried out later is a key of that name. */
const partOf = (id: string): Buffer => {
  const writer = new EffectWriter();
  writer.put(id, Buffer.from('1'), 0);
  return writer.take();
};

const write = (act: (writer: EffectWriter) => void): Buffer => {
  const writer = new EffectWriter();
  act(writer);
  return writer.take();
};

/**
 * Transactions over several shards, many at once, whose steps are carried out in real time while clocks differ; meanwhile
 * a backup takes its snapshots and reads the ends of the logs as `full-backup.ts` does.
 */
export const runTransactions = ({ seed, shards, transactions, maxSkewMs }: RunOptions): Run => {
  const random = randomOf(seed);
  const logs = Array.from({ length: shards }, (_, i) => new ShardLog(`s${i}`, Math.floor(random() * maxSkewMs)));
  const byName = new Map(logs.map((log) => [log.name, log]));
  const participantsOf = new Map<string, readonly string[]>();
  let now = 1_000;
  const begin = (number: number): Step[] => {
    const id = `t${number}`;
    const chosen = logs.map(({ name }) => name).filter(() => random() < 0.7);
    const participants = chosen.length < 2 ? logs.slice(0, 2).map(({ name }) => name) : chosen;
    participantsOf.set(id, participants);
    return stepsOf({ id, participants, aborts: random() < 0.2, now: () => now, random });
  };
  const underWay: Step[][] = [];
  let begun = 0;
  const advance = (): void => {
    now += Math.floor(random() * 3);
    if (begun < transactions && (underWay.length < 6 || random() < 0.1)) underWay.push(begin(begun++));
    const steps = underWay[Math.floor(random() * underWay.length)];
    const step = steps?.shift();
    const log = step && byName.get(step.shard);
    if (log) step.act(log);
    if (steps?.length === 0) underWay.splice(underWay.indexOf(steps), 1);
  };
  const some = (most: number): void => {
    for (let left = Math.floor(random() * most); left > 0; left--) advance();
  };
  const readEnds = (): Map<string, number> => new Map(logs.map((log) => (some(6), [log.name, log.end])));

  // Whoever takes part in nothing has a log all the same.
  for (const log of logs)
    log.append(
      now,
      write(() => {}),
    );
  some(transactions * 4);
  const positions = new Map(logs.map((log) => (some(40), [log.name, log.end])));
  const settled = readEnds();
  const floor = readEnds();
  const from = now + Math.floor(maxSkewMs / 2);
  some(transactions * 8);
  const through = now;
  const ceiling = readEnds();
  const last = readEnds();
  const boundsOf = (log: ShardLog): Bounds => {
    const position = positions.get(log.name) ?? 0;
    const { notes } = log.states[position - 1] ?? { notes: new Map<string, Buffer>() };
    const open = [...notes].flatMap(([name, value]) => openTransactionOf(name, value) ?? []);
    const of = (ends: ReadonlyMap<string, number>): number => ends.get(log.name) ?? 0;
    return { position, settled: of(settled), floor: of(floor), ceiling: of(ceiling), open };
  };
  const replayed = (log: ShardLog): Replayed[] =>
    log.entries.slice(positions.get(log.name), last.get(log.name)).map(placeOf);
  return {
    bounds: new Map(logs.map((log) => [log.name, boundsOf(log)])),
    logs: new Map(logs.map((log) => [log.name, replayed(log)])),
    from,
    through,
    participants: participantsOf,
    stateAt: (shard, seq) => byName.get(shard)?.states[seq - 1] ?? { notes: new Map(), done: new Set() },
  };
};

const placeOf = (entry: CommittedEntry): Replayed => ({
  position: { seq: entry.seq, term: 1, log: '', chain: '', time: entry.time },
  entry,
});

interface Plan {
  readonly id: string;
  readonly participants: readonly string[];
  readonly aborts: boolean;
  readonly now: () => number;
  readonly random: () => number;
}

const shuffled = <T>(all: readonly T[], random: () => number): T[] =>
  all
    .map((each) => ({ each, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ each }) => each);

/** As `two-phase/coordinator.ts` has them, the order of what is done at once at random. */
const stepsOf = ({ id, participants, aborts, now, random }: Plan): Step[] => {
  const [anchor = '', ...others] = participants;
  const name = noteName(id);
  const roles = { anchor, participants };
  const note = (log: ShardLog, value: Buffer, part: Buffer): void => {
    log.notes.set(name, value);
    log.append(now(), Buffer.concat([part, write((writer) => writer.note(name, value)).subarray(1)]));
  };
  const forget = (log: ShardLog, part: Buffer): void => {
    log.notes.delete(name);
    log.append(now(), Buffer.concat([part, write((writer) => writer.forget(name)).subarray(1)]));
  };
  const nothing = write(() => {});
  const prepare = (shard: string): Step => ({
    shard,
    act: (log) => note(log, encodeNote({ state: 'prepared', ...roles, keys: [id], effects: partOf(id) }), nothing),
  });
  const drop = (shard: string): Step => ({ shard, act: (log) => forget(log, nothing) });
  const carryOut = (shard: string, end: (log: ShardLog) => void): Step => ({
    shard,
    act: (log) => {
      log.done.add(id);
      end(log);
    },
  });
  const prepared = aborts ? participants.slice(0, 1 + Math.floor(random() * participants.length)) : participants;
  const begin = prepared.map(prepare);
  if (aborts) return [...begin, drop(anchor), ...shuffled(prepared.slice(1).map(drop), random)];
  const commit = carryOut(anchor, (log) => note(log, encodeNote({ state: 'committed', ...roles }), partOf(id)));
  const apply = others.map((shard) => carryOut(shard, (log) => forget(log, partOf(id))));
  return [...begin, commit, ...shuffled(apply, random), drop(anchor)];
};
