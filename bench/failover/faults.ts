import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../e2e/eventually.ts';
import type { Resources } from '../../e2e/resources.ts';
import { logStream } from '../../contract/subjects.ts';
import { cutOff, leaderOf, processOf } from './processes.ts';

/** A running embedded Quartet. */
export interface Subject {
  readonly stateDir: string;
  readonly resources: Resources;
  /** Runs one `quartet` command. */
  readonly quartet: (...args: string[]) => Promise<string>;
}

/** The primary that a fault is done to. */
export interface Victim {
  readonly shard: string;
  readonly pod: string;
  readonly node: string;
  readonly namespace: string;
  readonly term: number;
}

/** What is done to a primary. */
export interface Fault {
  readonly what: string;
  /** p50 and p99 that are aimed at, seconds. */
  readonly goal: readonly [number, number];
  /** Before the clocks start; resolves with what undoes it in the end. */
  readonly prepare?: (subject: Subject) => Promise<() => Promise<void>>;
  /** Resolves with what mends it, called once another leads and the client writes again. */
  readonly strike: (subject: Subject, victim: Victim) => Promise<() => Promise<void> | void>;
}

const nothing = (): void => {};

const kill = async ({ stateDir }: Subject, { pod }: Victim) => {
  process.kill(processOf(stateDir, pod), 'SIGKILL');
  return nothing;
};

const pause = async ({ stateDir }: Subject, { pod }: Victim) => {
  const pid = processOf(stateDir, pod);
  process.kill(pid, 'SIGSTOP');
  return () => void process.kill(pid, 'SIGCONT');
};

const node = async ({ stateDir, quartet }: Subject, victim: Victim) => {
  const { namespace, shard, node: name } = victim;
  const leader = await leaderOf(stateDir, logStream({ kind: 'db', namespace, name: shard }));
  process.kill(leader.pid, 'SIGKILL');
  await quartet('kill', 'node', name);
  return async () => void (await quartet('revive', 'node', name));
};

const operator = ['-n', 'quartet-system', 'deployment/quartet-operator'];

const withoutOperator = async ({ resources }: Subject) => {
  const replicas = await resources.kubectl('get', ...operator, '-o', 'jsonpath={.spec.replicas}');
  await resources.kubectl('scale', ...operator, '--replicas=0');
  await eventually(async () => {
    if ((await resources.pods('quartet-operator')).length > 0) throw new Error('the operator still runs');
  }, 60_000);
  await sleep(1_000);
  return async () => void (await resources.kubectl('scale', ...operator, `--replicas=${replicas}`));
};

/** The failover table of the DBShard issue. */
export const faults: Readonly<Record<string, Fault>> = {
  kill: { what: 'primary kill -9', goal: [3, 5], strike: kill },
  pause: { what: 'primary paused, then resumed', goal: [3, 5], strike: pause },
  cut: {
    what: 'primary cut off from NATS',
    goal: [3, 5],
    strike: async ({ stateDir }, { pod }) => cutOff(processOf(stateDir, pod)),
  },
  node: { what: 'node of the primary, and the stream leader', goal: [7, 11], strike: node },
  switchover: {
    what: 'planned switchover',
    goal: [0.5, 1],
    strike: async ({ resources }, { pod, namespace }) => {
      await resources.kubectl('delete', 'pod', '-n', namespace, pod, '--wait=false');
      return nothing;
    },
  },
  alone: { what: 'primary kill -9, no operator', goal: [10, 10], prepare: withoutOperator, strike: kill },
};
