/**
 * What the controller runtime costs, against a real API server: `node bench/operator/runtime.ts [--sizes 100,1000] [--idle 20]`.
 * Each size gets a namespace, as many resources of a test kind with one dependent each, and an operator process of its own.
 */
import { parseArgs } from 'node:util';
import { startTestCluster, type TestCluster } from '../../operator/runtime/testing/cluster.ts';
import { widget, widgets } from '../../operator/runtime/testing/widget.ts';
import { percentile } from '../figures.ts';
import { Subject } from './subject-process.ts';

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '100,1000' },
    idle: { type: 'string', default: '20' },
    samples: { type: 'string', default: '300' },
  },
});
const sizes = values.sizes.split(',').map(Number);
const idleSeconds = Number(values.idle);
const samples = Number(values.samples);

interface Row {
  readonly resources: number;
  readonly makeAllSeconds: number;
  readonly restartSeconds: number;
  readonly p50: number;
  readonly p99: number;
  readonly resyncWrites: number;
  readonly resyncCpuMs: number;
  readonly idleWrites: number;
  readonly idleReads: number;
  readonly idleCpuPercent: number;
  readonly rssMiB: number;
}

const MiB = 1024 * 1024;
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const createAll = async (cluster: TestCluster, namespace: string, size: number): Promise<void> => {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < size) await cluster.client.create(widgets, widget(`w${next++}`, 1, namespace));
  };
  await Promise.all(Array.from({ length: 8 }, work));
};

/** From the write being sent to its reconcile beginning, ms, sorted. */
const latencies = async (
  cluster: TestCluster,
  namespace: string,
  options: { size: number; subject: Subject },
): Promise<number[]> => {
  const { size, subject } = options;
  subject.follow(true);
  const found: number[] = [];
  for (let sample = 0; sample < samples; sample += 1) {
    const name = `w${Math.floor(Math.random() * size)}`;
    const began = subject.nextReconcile(`${namespace}/${name}`);
    const sentAt = performance.timeOrigin + performance.now();
    await cluster.client.merge(widgets, { namespace, name }, { spec: { note: `n${sample}` } });
    found.push((await began) - sentAt);
    await subject.until(({ idle }) => idle, 10_000);
    await wait(Math.random() * 20);
  }
  subject.follow(false);
  return found.sort((a, b) => a - b);
};

const measure = async (cluster: TestCluster, size: number): Promise<Row> => {
  const namespace = await cluster.namespace();
  await createAll(cluster, namespace, size);
  const isDone = ({ idle, reconciled }: { idle: boolean; reconciled: number }): boolean => idle && reconciled === size;
  const first = new Subject(cluster.kubeconfig, namespace);
  await first.until(isDone, 300_000);
  const makeAllSeconds = (performance.now() - first.startedAt) / 1000;
  await first.stop();

  const subject = new Subject(cluster.kubeconfig, namespace);
  await subject.until(isDone, 120_000);
  const restartSeconds = (performance.now() - subject.startedAt) / 1000;
  const sorted = await latencies(cluster, namespace, { size, subject });
  const beforeResync = await subject.until(({ idle }) => idle, 10_000);
  subject.wakeAll();
  const afterResync = await subject.until(isDone, 60_000);
  await wait(idleSeconds * 1000);
  const idle = await subject.figures();
  await subject.stop();
  return {
    resources: size,
    makeAllSeconds,
    restartSeconds,
    p50: percentile(sorted, 0.5),
    p99: percentile(sorted, 0.99),
    resyncWrites: afterResync.writes - beforeResync.writes,
    resyncCpuMs: Math.round(afterResync.cpuMs - beforeResync.cpuMs),
    idleWrites: idle.writes - afterResync.writes,
    idleReads: idle.reads - afterResync.reads,
    idleCpuPercent: (idle.cpuMs - afterResync.cpuMs) / (idleSeconds * 10),
    rssMiB: idle.rss / MiB,
  };
};

const cluster = await startTestCluster();
try {
  const rows: Row[] = [];
  for (const size of sizes) rows.push(await measure(cluster, size));
  const format = (value: number): string => (Number.isInteger(value) ? String(value) : value.toFixed(2));
  console.table(
    rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, format(value as number)]))),
  );
  console.log(
    'makeAll: process start to all resources made and their status written; restart: to all looked at, nothing to do.',
  );
  console.log(
    `p50, p99: ms from a write being sent to its reconcile beginning, ${samples} writes. idle: ${idleSeconds} s, without the lease.`,
  );
} finally {
  await cluster.stop();
}
