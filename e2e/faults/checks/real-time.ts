import type { Edge } from './cycles.ts';

interface Spanned {
  readonly outcome: string;
  readonly start: number;
  readonly end: number;
}

/**
 * Edges from which follows, over paths, that each operation comes after all that had ended before it began. Only as
 * many as needed: an operation leaves the frontier once one that began after it has ended.
 */
export const realTimeEdges = <T extends Spanned>(operations: readonly T[]): Edge<T>[] => {
  const events = operations.flatMap((operation) => [
    { at: operation.start, ends: false, operation },
    // Nobody knows when one without an answer took effect.
    ...(operation.outcome === 'ok' ? [{ at: operation.end, ends: true, operation }] : []),
  ]);
  // At the same time beginnings come first: then nothing is ordered.
  events.sort((a, b) => a.at - b.at || Number(a.ends) - Number(b.ends));
  const edges: Edge<T>[] = [];
  let frontier: T[] = [];
  for (const { operation, ends } of events) {
    if (ends) frontier = [...frontier.filter((other) => other.end >= operation.start), operation];
    else for (const from of frontier) edges.push({ kind: 'rt', from, to: operation });
  }
  return edges;
};
