import type { Operation } from '../history.ts';
import type { Verdict } from '../workloads/workload.ts';

/**
 * - lost: acknowledged before a read began that did not find it
 * - phantom: found although it was refused, or never tried
 * - gone: found by a read that ended before another began that did not find it
 */
export const checkSet = (operations: readonly Operation[]): Verdict => {
  const adds = new Map<string, Operation>();
  for (const operation of operations) if (operation.f === 'add') adds.set(operation.input as string, operation);
  const reads = operations.filter(({ f, outcome }) => f === 'read' && outcome === 'ok') as Read[];
  const foundAt = firstFound(reads);
  const phantoms = [...foundAt.keys()].filter((element) => (adds.get(element)?.outcome ?? 'fail') === 'fail');
  const anomalies = new Set(phantoms.map((element) => `phantom: ${element}`));
  for (const read of reads) {
    for (const element of missing(read)) {
      if (acknowledgedAt(adds.get(element)) < read.start) anomalies.add(`lost: ${element}`);
      else if ((foundAt.get(element) ?? Infinity) < read.start) anomalies.add(`gone: ${element}`);
    }
  }
  return { checked: operations.length, anomalies: [...anomalies] };
};

const acknowledgedAt = (add: Operation | undefined): number => (add?.outcome === 'ok' ? add.end : Infinity);

type Read = Operation<'read', readonly string[], readonly string[]>;

/** When the first read that found an element ended. */
const firstFound = (reads: readonly Read[]): Map<string, number> => {
  const foundAt = new Map<string, number>();
  for (const { output, end } of reads) {
    for (const element of output ?? []) foundAt.set(element, Math.min(end, foundAt.get(element) ?? Infinity));
  }
  return foundAt;
};

const missing = ({ input, output }: Read): string[] => {
  const found = new Set(output);
  return input.filter((element) => !found.has(element));
};
