import type { Operation } from '../history.ts';
import type { Verdict } from '../workloads/workload.ts';

const within = (a: readonly boolean[], b: readonly boolean[]): boolean => a.every((seen, i) => !seen || b[i] === true);
const shown = (seen: readonly boolean[]): string => seen.map(Number).join('');

/** What readers of one group of keys saw has to form a chain: of any two reads one saw all that the other did. */
export const checkLongFork = (operations: readonly Operation[]): Verdict => {
  const reads = operations.filter(({ f, outcome }) => f === 'read' && outcome === 'ok');
  const anomalies: string[] = [];
  for (const [group, ofGroup] of Map.groupBy(reads, ({ input }) => (input as string[]).join(' '))) {
    const kinds = new Map(ofGroup.map(({ output }) => [shown(output as boolean[]), output as boolean[]]));
    for (const [a, b] of pairs([...kinds.values()])) {
      if (!within(a, b) && !within(b, a)) anomalies.push(`fork: ${group}: ${shown(a)} and ${shown(b)}`);
    }
  }
  return { checked: operations.length, anomalies };
};

const pairs = <T>(items: readonly T[]): [T, T][] =>
  items.flatMap((a, i) => items.slice(i + 1).map((b): [T, T] => [a, b]));
