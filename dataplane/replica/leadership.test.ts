import { expect, test } from 'vitest';
import type { Entry } from '../log/entry.ts';
import { emptyHistory } from './history.ts';
import { Leadership } from './leadership.ts';
import { leaseMs } from './lease.ts';

test('an append that is acknowledged late gives no lease: the lease counts from when it was sent', async () => {
  let now = 0;
  const { promise: sent, resolve: send } = Promise.withResolvers<void>();
  const { promise: acknowledged, resolve: acknowledge } = Promise.withResolvers<Entry>();
  const leadership = new Leadership({
    machine: { lead: () => {}, follow: () => {} },
    clock: { now: () => now, wall: () => now, random: () => 0, sleep: () => Promise.resolve() },
    writer: 'a/1',
    applier: {
      history: { ...emptyHistory, seq: 1, term: 1 },
      offer: () => {},
      offerOwn: (_seq, own) => acknowledge(own),
    },
    log: {
      append: async (expected) => {
        send();
        return { outcome: 'appended', seq: expected + 1 };
      },
    },
    onChange: () => {},
    onCommitted: () => {},
    onFull: () => {},
  });
  const term: Entry = {
    ...emptyHistory,
    kind: 'term',
    term: 1,
    writer: 'a/1',
    previous: '',
    id: 'term',
    operations: [],
  };
  leadership.stand('term');
  const before = { before: emptyHistory, beforeSeenAt: 0, seenAt: 0 };
  leadership.applied({ seq: 1, id: 'term', verdict: { kind: 'term', entry: term }, ...before }, 1);
  expect(leadership.mayRead()).toBe(true);
  const read = leadership.commit.add(null);
  await sent;
  now = leaseMs + 1;
  const entry = await acknowledged;
  leadership.applied({ seq: 2, id: entry.id, verdict: { kind: 'data', entry }, ...before }, 1);
  expect(await read).toBe(2);
  expect(leadership.leading).toBe(true);
  expect(leadership.mayRead()).toBe(false);
});
