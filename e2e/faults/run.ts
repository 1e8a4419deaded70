import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from './client.ts';
import { serving, type Database } from './database/database.ts';
import { History } from './history.ts';
import { faults, type FaultName } from './nemesis/faults.ts';
import { judge, type Judgement } from './judge.ts';
import { strikeAll, type Struck } from './nemesis/nemesis.ts';
import type { Fault } from './nemesis/fault.ts';
import { schedule } from './nemesis/schedule.ts';
import { Random } from './random.ts';
import { gatewayOf, type Lane, type Place, type Spread, type Worker, type Workload } from './workloads/workload.ts';
import { allWorkloads } from './workloads/workloads.ts';

export interface RunOptions {
  /** Holds everything of the run: data, logs, `history.jsonl`. Made when missing. */
  readonly dir: string;
  readonly seed: string;
  /** How long faults strike, milliseconds. */
  readonly lengthMs: number;
  readonly faults: readonly FaultName[];
  readonly spread: Spread;
  /** Starts the database, or connects to one. */
  readonly start: (dir: string) => Promise<Database>;
  /** Hears what happens. */
  readonly tell: (text: string) => void;
}

export interface Report {
  readonly seed: string;
  readonly struck: readonly Struck[];
  /** Faults that cannot be done here. */
  readonly impossible: readonly string[];
  readonly judgements: readonly Judgement[];
  /** Processes that ended by themselves, with how often. */
  readonly crashes: readonly string[];
}

/** When all faults are over, the database has so long to serve again, milliseconds. */
const recoveryMs = 60_000;
const settleMs = 2_000;

/** True when no check found anything. */
export const isGreen = (report: Report): boolean => report.judgements.every(({ anomalies }) => anomalies.length === 0);

/** Starts a database, lets workloads and faults loose on it, and judges what the clients saw. */
export const run = async (options: RunOptions): Promise<Report> => {
  mkdirSync(options.dir, { recursive: true });
  const database = await options.start(options.dir);
  const history = new History(join(options.dir, 'history.jsonl'));
  try {
    const possible = options.faults.filter((name) => isPossible(name, database));
    const workloads = allWorkloads(placesOf(database), options.spread);
    const struck = await storm(options, { database, history, workloads, possible });
    options.tell(`checking ${history.operations.length} operations`);
    return {
      seed: options.seed,
      struck,
      impossible: options.faults.filter((name) => !possible.includes(name)).map((name) => faults[name].name),
      judgements: await judge(workloads, history.operations),
      crashes: database.crashes,
    };
  } finally {
    await history.close();
    await database.stop();
  }
};

const isPossible = (name: FaultName, database: Database): boolean => {
  const { needs }: Fault = faults[name];
  return needs === undefined || database.can.has(needs);
};

const placesOf = ({ shards, gateways }: Database): Place[] =>
  shards.map(({ letter, members }) => ({
    letter,
    members,
    gateways,
  }));

interface Stage {
  readonly database: Database;
  readonly history: History;
  readonly workloads: readonly Workload[];
  readonly possible: readonly FaultName[];
}

const storm = async (options: RunOptions, stage: Stage): Promise<Struck[]> => {
  const { database, history, workloads, possible } = stage;
  const { seed, lengthMs, tell } = options;
  const caretaker = workerOf(options, history, {
    name: 'caretaker',
    address: gatewayOf(placesOf(database)[0] ?? { gateways: [] }, 0),
  });
  for (const workload of workloads) await workload.setUp?.(caretaker);
  const stop = new AbortController();
  const lanes = workloads.flatMap((workload) => workload.lanes());
  const failure = Promise.withResolvers<never>();
  const clients = lanes.map((lane) =>
    work(lane, workerOf(options, history, lane), stop.signal).catch((error: unknown) => failure.reject(error)),
  );
  const appointments = schedule(new Random(`${seed} schedule`), possible, lengthMs);
  tell(`${lanes.length} clients, ${appointments.length} faults in ${Math.round(lengthMs / 1000)} s, seed ${seed}`);
  try {
    const striking = strikeAll(database, appointments, { seed, signal: stop.signal });
    await Promise.race([Promise.all([striking, sleep(lengthMs)]), failure.promise]);
    await database.heal();
    await serving(database, recoveryMs);
    await Promise.race([sleep(settleMs), failure.promise]);
    stop.abort();
    await Promise.all(clients);
    tell('faults are over; last reads, with each member as primary');
    await lastReads(database, workloads, caretaker);
    return await striking;
  } finally {
    stop.abort();
    failure.promise.catch(() => {});
    await Promise.all(clients);
    caretaker.client.close();
  }
};

const workerOf = (
  { seed }: RunOptions,
  history: History,
  { name, address }: Pick<Lane, 'name' | 'address'>,
): Worker => {
  const from = performance.now();
  return {
    name,
    client: new Client(address),
    random: new Random(`${seed} ${name}`),
    history,
    elapsed: () => performance.now() - from,
  };
};

const work = async (lane: Lane, worker: Worker, signal: AbortSignal): Promise<void> => {
  while (!signal.aborted) {
    const next = performance.now() + lane.everyMs * worker.random.between(0.5, 1.5);
    await lane.step(worker);
    await sleep(Math.max(1, next - performance.now()));
  }
  worker.client.close();
};

/** Every member has its turn as primary: a replica that differs from the others is seen. */
const lastReads = async (database: Database, workloads: readonly Workload[], worker: Worker): Promise<void> => {
  const turns = Math.max(...database.shards.map(({ members }) => members.length));
  for (let turn = 0; turn < turns; turn++) {
    for (const { name, members } of database.shards) await lead(database, name, members[turn]?.name ?? '');
    await serving(database, recoveryMs);
    for (const workload of workloads) await workload.finish?.(worker);
  }
};

const lead = async ({ observer }: Database, shard: string, member: string): Promise<void> => {
  const deadline = performance.now() + recoveryMs;
  while (!(await observer.ask(member, { type: 'promote', term: observer.highestTerm(shard) + 1 }))) {
    if (performance.now() > deadline) throw new Error(`${member} does not come back: it cannot lead`);
    await sleep(500);
  }
};
