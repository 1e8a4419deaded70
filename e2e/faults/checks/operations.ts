import type { Operation, Outcome } from '../history.ts';
import type { MicroOperation } from './list-append.ts';

// Histories as tests write them down.

/** One operation; times in milliseconds. */
export const operation = (
  f: string,
  input: unknown,
  {
    output = null,
    outcome = 'ok',
    span: [start, end] = [0, 1_000],
    client = 'c',
  }: {
    readonly output?: unknown;
    readonly outcome?: Outcome;
    readonly span?: readonly [number, number];
    readonly client?: string;
  } = {},
): Operation => ({ workload: 'test', client, f, input, output, outcome, start, end });

const part = (text: string): MicroOperation => {
  const [, f, key = '', rest = ''] = /^(a|r)\((\w+)(?:,(.*))?\)$/.exec(text) ?? [];
  return f === 'a' ? { f: 'append', key, value: rest } : { f: 'read', key, list: rest.split('').filter(Boolean) };
};

/**
 * A transaction: `a(x,1)` appends 1 to x, `r(x,12)` reads x and finds 1 and 2. `r(x)` finds nothing.
 * All transactions are concurrent, unless `span` says otherwise.
 */
export const transaction = (
  text: string,
  { outcome = 'ok', span = [0, 1_000] }: { readonly outcome?: Outcome; readonly span?: readonly [number, number] } = {},
): Operation => {
  const parts = text.split(' ').map(part);
  return operation('transaction', parts, { output: outcome === 'ok' ? parts : null, outcome, span, client: text });
};
