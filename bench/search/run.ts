/**
 * Search: one shard's engine beside SQLite FTS5, in one process and run, on the same generated documents.
 *
 *     node bench/search/run.ts [documents = 200000] [queries of each kind = 200] [--cpu]
 *
 * `--cpu` measures the CPU time of the thread in place of the time on the clock: for a machine that is busy with other
 * things. Neither engine waits for anything while it searches. Prints rows of a markdown table. Floor: top-10 at the median twice as fast as FTS5 in every kind of query.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { Fts5Engine } from './fts5-engine.ts';
import { QuartetEngine } from './quartet-engine.ts';
import { querySets } from './queries.ts';
import { zipfDocuments } from './zipf-documents.ts';

const [documents = 200_000, queries = 200] = process.argv
  .slice(2)
  .filter((argument) => /^\d+$/.test(argument))
  .map(Number);
const byCpu = process.argv.includes('--cpu');
const seed = 20_261_124;
const floor = 2;

const megabytes = (bytes: number): string => (bytes / 1024 / 1024).toFixed(0);

/** Milliseconds, from an arbitrary start. */
function now(): number {
  if (!byCpu) return performance.now();
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/**
 * Milliseconds of each call, sorted, after a warm-up of a tenth. CPU time is counted too coarsely for one call: there each
 * has the mean of all.
 */
function timings<T>(items: readonly T[], run: (item: T) => unknown): number[] {
  for (const item of items.slice(0, Math.ceil(items.length / 10))) run(item);
  if (byCpu) {
    const started = now();
    for (const item of items) run(item);
    return [(now() - started) / items.length];
  }
  const times = items.map((item) => {
    const started = now();
    run(item);
    return now() - started;
  });
  return times.sort((a, b) => a - b);
}

const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

const directory = await mkdtemp(join(tmpdir(), 'quartet-bench-search-'));
try {
  const before = process.memoryUsage.rss();
  let started = now();
  const quartet = await QuartetEngine.open(join(directory, 'quartet'));
  await quartet.index(zipfDocuments(documents, seed));
  const quartetSeconds = (now() - started) / 1000;
  const rss = process.memoryUsage.rss() - before;
  started = now();
  const fts5 = new Fts5Engine(join(directory, 'fts5.db'));
  fts5.index(zipfDocuments(documents, seed));
  const fts5Seconds = (now() - started) / 1000;

  console.log(
    `| search, ${documents} documents | Quartet p50 / p99 ms${byCpu ? ' of CPU' : ''} | SQLite FTS5 p50 / p99 ms | ratio p50 | ratio p99 |`,
  );
  console.log('|---|---|---|---|---|');
  let slowest = Number.POSITIVE_INFINITY;
  for (const { name, queries: set } of querySets(queries, seed)) {
    const ours = timings(set, ({ dsl }) => quartet.search(dsl));
    const theirs = timings(set, (query) => fts5.search(query.fts5));
    const ratio = at(theirs, 0.5) / at(ours, 0.5);
    slowest = Math.min(slowest, ratio);
    const cell = (times: readonly number[]): string => `${at(times, 0.5).toFixed(2)} / ${at(times, 0.99).toFixed(2)}`;
    const tail = at(theirs, 0.99) / at(ours, 0.99);
    console.log(`| top 10, ${name} | ${cell(ours)} | ${cell(theirs)} | ${ratio.toFixed(1)} x | ${tail.toFixed(1)} x |`);
    const counted = timings(set, ({ dsl }) => quartet.search(dsl, 10_000));
    console.log(`| … and a total, exact up to 10,000 | ${cell(counted)} | | | |`);
  }
  const rate = (seconds: number): string => (documents / seconds).toFixed(0);
  console.log(
    `| indexing, documents/s (with generating them) | ${rate(quartetSeconds)} | ${rate(fts5Seconds)} | ${(fts5Seconds / quartetSeconds).toFixed(2)} x | |`,
  );
  console.log(
    `| on disk, MB (sources included) | ${megabytes(await quartet.bytesOnDisk())} | ${megabytes(await fts5.bytesOnDisk())} | | |`,
  );
  console.log(`| memory that indexing added, MB | ${megabytes(rss)} | | | |`);
  console.log(`| segments | ${quartet.segments} | | | |`);
  fts5.close();
  console.log(
    slowest >= floor ? `floor held: at least ${floor} x FTS5 everywhere` : `FLOOR MISSED: ${slowest.toFixed(2)} x FTS5`,
  );
  process.exitCode = slowest >= floor ? 0 : 1;
} finally {
  await rm(directory, { recursive: true, force: true });
}
