import type { Operation } from '../history.ts';
import type { Verdict } from '../workloads/workload.ts';
import { findCycles, type Edge, type EdgeKind } from './cycles.ts';
import { realTimeEdges } from './real-time.ts';

/** A part of a transaction: an append of a value that nobody else appends, or a read of the whole list. */
export type MicroOperation =
  | { readonly f: 'append'; readonly key: string; readonly value: string }
  | { readonly f: 'read'; readonly key: string; readonly list?: readonly string[] };

type Transaction = Operation<string, readonly MicroOperation[], readonly MicroOperation[]>;

/** What is known about one list. */
interface List {
  /** The longest read: its elements are in the order in which they were appended. */
  readonly order: readonly string[];
}

interface Facts {
  readonly transactions: readonly Transaction[];
  /** Who appended a value to a key. */
  readonly writers: ReadonlyMap<string, Transaction>;
  readonly lists: ReadonlyMap<string, List>;
}

const partsOf = (transaction: Transaction): readonly MicroOperation[] =>
  transaction.outcome === 'ok' ? (transaction.output ?? []) : transaction.input;
const place = (key: string, value: string): string => `${key}/${value}`;

/**
 * Serializability in the order of real time, inferred as Elle does it (Kingsbury and Alvaro, "Elle: Inferring Isolation
 * Anomalies from Experimental Observations"): lists show the order of the writes to each key, so every dependency between
 * transactions is known, and a cycle of dependencies is an anomaly by Adya's names.
 */
export const checkListAppend = (operations: readonly Operation[]): Verdict => {
  const facts = gather(operations as readonly Transaction[]);
  const graph = [...dependencies(facts), ...realTimeEdges(committed(facts))];
  return {
    checked: operations.length,
    anomalies: [
      ...facts.transactions.flatMap(contradictsItself),
      ...facts.transactions.flatMap((transaction) => badReads(transaction, facts)),
      ...lostAppends(facts),
      ...findCycles(graph).map(({ name, nodes }) => `${name}: ${nodes.map((node) => shown(facts, node)).join(' -> ')}`),
    ],
  };
};

const gather = (transactions: readonly Transaction[]): Facts => {
  const writers = new Map<string, Transaction>();
  const lists = new Map<string, List>();
  for (const transaction of transactions) {
    for (const part of partsOf(transaction)) {
      if (part.f === 'append') writers.set(place(part.key, part.value), transaction);
    }
    for (const { key, list } of outerReads(transaction)) {
      if (list.length >= (lists.get(key)?.order.length ?? 0)) lists.set(key, { order: list });
    }
  }
  return { transactions, writers, lists };
};

/** What a transaction read of others: own appends are taken away from the end. Only the first read of a key counts. */
const outerReads = (transaction: Transaction): { key: string; list: readonly string[]; own: number }[] => {
  if (transaction.outcome !== 'ok') return [];
  const appended = new Map<string, number>();
  const reads = new Map<string, { key: string; list: readonly string[]; own: number }>();
  for (const part of partsOf(transaction)) {
    const own = appended.get(part.key) ?? 0;
    if (part.f === 'append') appended.set(part.key, own + 1);
    else if (!reads.has(part.key)) reads.set(part.key, { key: part.key, list: part.list ?? [], own });
  }
  return [...reads.values()];
};

/** A later read in a transaction shows the earlier one and the own appends since: else it is `internal`. */
const contradictsItself = (transaction: Transaction): string[] => {
  if (transaction.outcome !== 'ok') return [];
  const known = new Map<string, { list: readonly string[] | null; since: string[] }>();
  const anomalies: string[] = [];
  for (const part of partsOf(transaction)) {
    const now = known.get(part.key) ?? { list: null, since: [] };
    if (part.f === 'append') known.set(part.key, { ...now, since: [...now.since, part.value] });
    else {
      const list = part.list ?? [];
      const expected = [...(now.list ?? list.slice(0, Math.max(0, list.length - now.since.length))), ...now.since];
      if (expected.join() !== list.join())
        anomalies.push(`internal: ${transaction.client} read ${list.join()} of ${part.key}`);
      known.set(part.key, { list, since: [] });
    }
  }
  return anomalies;
};

const badReads = (transaction: Transaction, facts: Facts): string[] =>
  outerReads(transaction).flatMap(({ key, list, own }) => {
    const order = facts.lists.get(key)?.order ?? [];
    const anomalies: string[] = [];
    if (new Set(list).size < list.length) anomalies.push(`duplicate: ${key}: ${list.join()}`);
    if (list.some((value, i) => order[i] !== value))
      anomalies.push(`incompatible order: ${key}: ${list.join()} and ${order.join()}`);
    for (const value of list) {
      const writer = facts.writers.get(place(key, value));
      if (writer === undefined) anomalies.push(`garbage: ${value} in ${key} was never appended`);
      else if (writer.outcome === 'fail') anomalies.push(`G1a: ${value} in ${key} was refused`);
    }
    return [...anomalies, ...intermediate(transaction, key, list.slice(0, list.length - own), facts)];
  });

/** G1b: a read that ends between two appends of another transaction. */
const intermediate = (reader: Transaction, key: string, list: readonly string[], { writers }: Facts): string[] => {
  const last = list.at(-1);
  const writer = last === undefined ? undefined : writers.get(place(key, last));
  if (last === undefined || writer === undefined || writer === reader) return [];
  const final = partsOf(writer).findLast((part) => part.f === 'append' && part.key === key);
  return final?.f === 'append' && final.value !== last ? [`G1b: ${reader.client} read ${key} up to ${last}`] : [];
};

/** Acknowledged, but a read that began later, and is the longest, does not show it. */
const lostAppends = ({ transactions, lists }: Facts): string[] => {
  const lastRead = new Map<string, number>();
  for (const transaction of transactions) {
    for (const { key } of outerReads(transaction)) {
      lastRead.set(key, Math.max(lastRead.get(key) ?? 0, transaction.start));
    }
  }
  const shownIn = new Map([...lists].map(([key, { order }]) => [key, new Set(order)]));
  return transactions.flatMap((transaction) =>
    transaction.outcome !== 'ok'
      ? []
      : partsOf(transaction).flatMap((part) => {
          if (part.f !== 'append' || (lastRead.get(part.key) ?? 0) < transaction.end) return [];
          return shownIn.get(part.key)?.has(part.value) === true ? [] : [`lost: ${part.value} of ${part.key}`];
        }),
  );
};

/** Transactions that took effect: acknowledged, or one of their appends was seen. */
const committed = ({ transactions, lists, writers }: Facts): Transaction[] => {
  const seen = new Set<Transaction>();
  for (const [key, { order }] of lists) {
    for (const value of order) {
      const writer = writers.get(place(key, value));
      if (writer !== undefined) seen.add(writer);
    }
  }
  return transactions.filter((transaction) => transaction.outcome === 'ok' || seen.has(transaction));
};

/** ww: the next append; wr: who read it last; rw: the first append that a reader did not see. */
const dependencies = (facts: Facts): Edge<Transaction>[] => {
  const edges: Edge<Transaction>[] = [];
  const add = (kind: EdgeKind, from: Transaction | undefined, to: Transaction | undefined): void => {
    if (from !== undefined && to !== undefined && from !== to) edges.push({ kind, from, to });
  };
  for (const [key, { order }] of facts.lists) {
    const writers = order.map((value) => facts.writers.get(place(key, value)));
    writers.forEach((writer, i) => add('ww', writers[i - 1], writer));
  }
  for (const transaction of facts.transactions) {
    for (const { key, list, own } of outerReads(transaction)) {
      const order = facts.lists.get(key)?.order ?? [];
      const seen = list.length - own;
      const writerAt = (index: number) => facts.writers.get(place(key, order[index] ?? ''));
      add('wr', seen > 0 ? writerAt(seen - 1) : undefined, transaction);
      add('rw', transaction, own === 0 ? writerAt(seen) : undefined);
    }
  }
  return edges;
};

const shown = (facts: Facts, { client, start }: Transaction): string =>
  `${client}@${Math.round(start - (facts.transactions[0]?.start ?? 0))}`;
