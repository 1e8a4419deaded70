import { setTimeout as sleep } from 'node:timers/promises';
import { inject, test } from 'vitest';
import { saveArtifacts } from './artifacts.ts';
import { KindCluster } from './cluster.ts';
import { record } from './report.ts';

/** What a test gets. */
export interface Scene {
  readonly cluster: KindCluster;
  /** Adds a line to the report. */
  note(line: string): void;
}

let running: KindCluster | undefined;
const runningCluster = (): KindCluster => (running ??= new KindCluster(inject('place')));

type Keep = (scene: Scene) => Promise<void>;

/** Time for what comes before a test, and for logs and putting the cluster right again after a failure. */
const aroundMs = 600_000;

/** A failed test must not decide the next one. */
const putRight = async (cluster: KindCluster): Promise<void> => {
  await cluster.mendEverything().catch((error: unknown) => process.stdout.write(`cannot mend: ${String(error)}\n`));
  if (!cluster.isInstalled) return;
  await cluster.settled(120_000).catch((error: unknown) => process.stdout.write(`stays broken: ${String(error)}\n`));
};

/**
 * A test whose title is what Quartet promises. It gets a cluster with Quartet installed and all samples Ready, must be
 * done within its budget, leaves everything Ready, and appears in the report with the time that it took.
 */
export const promise = (title: string, budgetSeconds: number, keep: Keep): void =>
  register({ title, budgetSeconds, keep, prepare: (cluster) => cluster.ensureInstalled() });

/** The same on a cluster that may have nothing installed. */
export const fromNothing = (title: string, budgetSeconds: number, keep: Keep): void =>
  register({ title, budgetSeconds, keep, prepare: (cluster) => cluster.remove() });

interface Registered {
  readonly title: string;
  readonly budgetSeconds: number;
  readonly keep: Keep;
  /** What must be before the time starts to run. */
  prepare(cluster: KindCluster): Promise<void>;
}

const withinBudget = async (budgetSeconds: number, work: Promise<void>): Promise<void> => {
  const over = new AbortController();
  const late = sleep(budgetSeconds * 1000, undefined, { signal: over.signal }).then(
    () => Promise.reject(new Error(`not done within ${budgetSeconds} s`)),
    () => {},
  );
  await Promise.race([work, late]).finally(() => over.abort());
};

const register = ({ title, budgetSeconds, keep, prepare }: Registered): void => {
  const run = async (): Promise<void> => {
    const cluster = runningCluster();
    const notes: string[] = [];
    let started = Date.now();
    const finish = (passed: boolean) =>
      record({ promise: title, budgetSeconds, notes, passed, seconds: Math.round((Date.now() - started) / 100) / 10 });
    try {
      await prepare(cluster);
      started = Date.now();
      await withinBudget(budgetSeconds, keep({ cluster, note: (line) => notes.push(line) }));
      finish(true);
    } catch (error) {
      notes.push(error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error));
      finish(false);
      process.stdout.write(`logs, events and objects are in ${await saveArtifacts(cluster, title, error)}\n`);
      await putRight(cluster);
      throw error;
    }
  };
  test(title, run, budgetSeconds * 1000 + aroundMs);
};
