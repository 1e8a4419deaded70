import { expect, test } from 'vitest';
import type { Operation } from '../history.ts';
import { operation } from './operations.ts';
import { checkRegisters } from './registers.ts';

type Span = readonly [number, number];
const write = (to: string, span: Span, outcome: Operation['outcome'] = 'ok') =>
  operation('write', { key: 'k', to }, { span, outcome, client: `writes ${to}` });
const cas = (from: string, to: string, span: Span, outcome: Operation['outcome'] = 'ok') =>
  operation('cas', { key: 'k', from, to }, { span, outcome, client: `${from} to ${to}` });
const read = (output: string, span: Span) =>
  operation('read', { key: 'k' }, { output, span, client: `reads ${span[0]}` });

const good: Record<string, Operation[]> = {
  'reads see the last write': [read('', [0, 1]), write('1', [2, 3]), read('1', [4, 5])],
  'reads during a write see either': [write('1', [0, 9]), read('', [1, 2]), read('1', [3, 4])],
  'an unknown write may take effect late': [write('1', [0, 1], 'info'), read('', [2, 3]), read('1', [4, 5])],
  'an unknown write may never take effect': [write('1', [0, 1], 'info'), write('2', [2, 3]), read('2', [4, 5])],
  'a compare-and-set follows its value': [write('1', [0, 1]), cas('1', '2', [2, 3]), read('2', [4, 5])],
  'unknown compare-and-sets form a chain': [
    cas('', '1', [0, 1], 'info'),
    cas('1', '2', [2, 3], 'info'),
    read('2', [4, 5]),
  ],
};

for (const [name, history] of Object.entries(good)) {
  test(`good: ${name}`, async () => expect((await checkRegisters(history)).anomalies).toEqual([]));
}

const bad: Record<string, Operation[]> = {
  'a stale read': [write('1', [0, 1]), write('2', [2, 3]), read('1', [4, 5])],
  'a lost write': [write('1', [0, 1]), read('', [2, 3])],
  'a value that comes back': [write('1', [0, 1], 'info'), write('2', [2, 3]), read('1', [4, 5]), read('2', [6, 7])],
  'two compare-and-sets of one value': [write('1', [0, 1]), cas('1', '2', [2, 9]), cas('1', '3', [2, 9])],
  'a value from the future': [read('1', [0, 1]), write('1', [2, 3])],
};

for (const [name, history] of Object.entries(bad)) {
  test(`bad: ${name}`, async () => expect((await checkRegisters(history)).anomalies).toEqual(['not linearizable: k']));
}
