import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EverythingReport } from '../workloads/everything.ts';
import { artifactsRoot } from './artifacts.ts';

/** One test of the report. */
export interface Row {
  readonly promise: string;
  readonly budgetSeconds: number;
  readonly seconds: number;
  readonly passed: boolean;
  /** What was measured on the way. */
  readonly notes: readonly string[];
}

const rows: Row[] = [];

/** Adds the outcome of a test, and prints it. */
export const record = (row: Row): void => {
  rows.push(row);
  const verdict = row.passed ? 'kept' : 'BROKEN';
  const lines = row.notes.map((note) => `\n    ${note}`).join('');
  process.stdout.write(`${verdict} in ${row.seconds} s of ${row.budgetSeconds}: ${row.promise}${lines}\n`);
};

/** Prints the table of all tests and writes it to `e2e-artifacts/report.md`. */
export const finishReport = (): void => {
  const table = [
    '| promise | kept | seconds | budget | measured |',
    '|---|---|---:|---:|---|',
    ...rows.map(
      ({ promise, passed, seconds, budgetSeconds, notes }) =>
        `| ${promise} | ${passed ? 'yes' : 'NO'} | ${seconds} | ${budgetSeconds} | ${notes.join('; ')} |`,
    ),
  ].join('\n');
  mkdirSync(artifactsRoot, { recursive: true });
  const file = join(artifactsRoot, 'report.md');
  writeFileSync(file, `${table}\n`);
  process.stdout.write(`\n${table}\n\nthe table is in ${file}\n`);
};

/** Traffic in one line: the longest outage of each service, and how many requests failed. */
export const trafficNote = ({ database, documents, chat, edge, search, outages }: EverythingReport): string => {
  const share = (bad: number, good: number) => `${bad} of ${bad + good} failed`;
  return [
    `database ${outages.database} ms out, ${share(database.errors, database.acknowledged)}`,
    `chat ${outages.chat} ms, ${share(chat.errors, chat.acknowledged)}`,
    `edge ${outages.edge} ms, ${share(edge.bad, edge.good)}`,
    `search ${outages.search} ms, ${share(search.bad, search.good)}, indexing ${share(documents.errors, documents.acknowledged)}`,
  ].join('; ');
};
