import { expect, test } from 'vitest';
import type { Operation } from '../history.ts';
import { checkListAppend } from './list-append.ts';
import { transaction } from './operations.ts';

/** The first word of each anomaly, each once. */
const found = (...history: Operation[]): string[] => [
  ...new Set(checkListAppend(history).anomalies.map((anomaly) => anomaly.split(':')[0] ?? '')),
];

const good: Record<string, Operation[]> = {
  'appends and a read of all': [transaction('a(x,1)'), transaction('a(x,2)'), transaction('r(x,12)')],
  'reads of earlier states': [
    transaction('a(x,1)'),
    transaction('a(x,2)'),
    transaction('r(x)'),
    transaction('r(x,1)'),
    transaction('r(x,12)'),
  ],
  'a read of own appends': [transaction('a(x,1)'), transaction('a(x,2) r(x,12) a(x,3) r(x,123)')],
  'an own append that the first read shows': [transaction('a(x,1) r(x,1)'), transaction('r(x,1)')],
  'two appends of one transaction': [transaction('a(x,1) a(x,2)'), transaction('r(x,12)'), transaction('r(x)')],
  'an unknown append that took effect late': [
    transaction('a(x,1)', { outcome: 'info', span: [0, 1] }),
    transaction('r(x)', { span: [2, 3] }),
    transaction('r(x,1)', { span: [4, 5] }),
  ],
  'an unknown append that never took effect': [transaction('a(x,1)', { outcome: 'info' }), transaction('r(x)')],
  'a refused append that is not there': [transaction('a(x,1)', { outcome: 'fail' }), transaction('r(x)')],
  'a dependency on two keys, one way': [
    transaction('a(x,1) a(y,1)'),
    transaction('r(x,1) r(y,1)'),
    transaction('r(x) r(y)'),
  ],
};

for (const [name, history] of Object.entries(good)) {
  test(`good: ${name}`, () => expect(found(...history)).toEqual([]));
}

const bad: Record<string, { history: Operation[]; anomaly: string }> = {
  'two transactions append in two orders': {
    history: [
      transaction('a(x,1) a(y,1)'),
      transaction('a(x,2) a(y,2)'),
      transaction('r(x,12)'),
      transaction('r(y,21)'),
    ],
    anomaly: 'G0',
  },
  'a refused append is read': {
    history: [transaction('a(x,1)', { outcome: 'fail' }), transaction('r(x,1)')],
    anomaly: 'G1a',
  },
  'half of a transaction is read': {
    history: [transaction('a(x,1) a(x,2)'), transaction('r(x,1)'), transaction('r(x,12)')],
    anomaly: 'G1b',
  },
  'two transactions read each other': {
    history: [transaction('a(x,1) r(y,2)'), transaction('a(y,2) r(x,1)')],
    anomaly: 'G1c',
  },
  'a read skew': {
    history: [transaction('a(x,1) a(y,1)'), transaction('r(x) r(y,1)'), transaction('r(x,1)')],
    anomaly: 'G-single',
  },
  'a lost update': {
    history: [transaction('r(x) a(x,1)'), transaction('r(x) a(x,2)'), transaction('r(x,12)')],
    anomaly: 'G-single',
  },
  'a write skew': {
    history: [transaction('r(x) a(y,1)'), transaction('r(y) a(x,1)'), transaction('r(x,1) r(y,1)')],
    anomaly: 'G2',
  },
  'a fork: two readers disagree about the order': {
    history: [transaction('a(x,1)'), transaction('a(y,1)'), transaction('r(x,1) r(y)'), transaction('r(x) r(y,1)')],
    anomaly: 'G2',
  },
  'an append that comes before one that had ended': {
    history: [
      transaction('a(x,2)', { span: [0, 1] }),
      transaction('a(x,1)', { span: [2, 3] }),
      transaction('r(x,12)', { span: [0, 9] }),
    ],
    anomaly: 'G0-realtime',
  },
  'a value that is read before its append begins': {
    history: [transaction('r(x,1)', { span: [0, 1] }), transaction('a(x,1)', { span: [2, 3] })],
    anomaly: 'G1c-realtime',
  },
  'a stale read': {
    history: [
      transaction('a(x,1)', { span: [0, 1] }),
      transaction('r(x)', { span: [2, 3] }),
      transaction('r(x,1)', { span: [4, 5] }),
    ],
    anomaly: 'G-single-realtime',
  },
  'two stale reads, each of what the other replaced': {
    history: [
      transaction('r(x) a(y,1)', { span: [0, 1] }),
      transaction('r(p) a(q,1)', { span: [2, 3] }),
      transaction('r(q) a(p,1)', { span: [2, 3] }),
      transaction('r(p,1) r(q,1)', { span: [9, 10] }),
    ],
    anomaly: 'G2',
  },
  'an acknowledged append that a later read misses': {
    history: [transaction('a(x,1)', { span: [0, 1] }), transaction('r(x)', { span: [2, 3] })],
    anomaly: 'lost',
  },
  'an append that is there twice': { history: [transaction('a(x,1)'), transaction('r(x,11)')], anomaly: 'duplicate' },
  'reads of which none continues the other': {
    history: [transaction('a(x,1)'), transaction('a(x,2)'), transaction('r(x,1)'), transaction('r(x,2)')],
    anomaly: 'incompatible order',
  },
  'a value from nowhere': { history: [transaction('r(x,7)')], anomaly: 'garbage' },
  'a transaction that does not see its own append': { history: [transaction('a(x,1) r(x)')], anomaly: 'internal' },
  'a read that changes within a transaction': {
    history: [transaction('a(x,1)'), transaction('r(x) r(x,1)')],
    anomaly: 'internal',
  },
};

for (const [name, { history, anomaly }] of Object.entries(bad)) {
  test(`bad: ${name}: ${anomaly}`, () => expect(found(...history)).toContain(anomaly));
}

test('a cycle among many transactions is found, and shown at its shortest', () => {
  const chain = Array.from({ length: 2_000 }, (_, i) => transaction(`r(k${i}) a(k${i + 1},1)`, { span: [0, 1_000] }));
  const reads = Array.from({ length: 2_000 }, (_, i) => transaction(`r(k${i + 1},1)`));
  expect(found(...chain, ...reads)).toEqual([]);
  expect(found(...chain, ...reads, transaction('r(k2000) a(k0,1)'), transaction('r(k0,1)'))).toEqual(['G2']);
});
