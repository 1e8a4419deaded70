import type { Judgement } from './judge.ts';
import { isGreen, type Report } from './run.ts';

/** Anomalies of one workload that are shown. */
const shownAnomalies = 10;

const columns = (rows: readonly (readonly string[])[]): string[] => {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
};

const faultRows = ({ struck }: Report): string[][] =>
  [...Map.groupBy(struck, ({ fault }) => fault)].map(([fault, times]) => [fault, String(times.length)]).sort();

/** Verdicts as people read them. */
export const shownVerdicts = (judgements: readonly Judgement[]): string[] => [
  ...columns([
    ['workload', 'operations', 'ok', 'refused', 'unknown', 'verdict'],
    ...judgements.map(({ workload, checked, ok, failed, unknown, anomalies, undecided }) => [
      workload,
      ...[checked, ok, failed, unknown].map(String),
      anomalies.length > 0
        ? `BAD: ${anomalies.length} anomalies`
        : undecided === undefined
          ? 'good'
          : `good; ${undecided}`,
    ]),
  ]),
  ...judgements.flatMap(({ workload, anomalies }) =>
    anomalies.slice(0, shownAnomalies).map((anomaly) => `${workload}: ${anomaly}`),
  ),
];

/** A report as people read it. */
export const shown = (report: Report): string => {
  const { seed, impossible, judgements, crashes } = report;
  const operations = judgements.reduce((sum, { checked }) => sum + checked, 0);
  return [
    ...columns([['fault', 'times'], ...faultRows(report)]),
    ...impossible.map((fault) => `not possible here: ${fault}`),
    '',
    ...shownVerdicts(judgements),
    ...crashes.map((crash) => `ended by itself: ${crash}`),
    `${operations} operations checked, ${report.struck.length} faults, seed ${seed}: ${isGreen(report) ? 'good' : 'BAD'}`,
  ].join('\n');
};
