import { describe, expect, it, test } from 'vitest';
import type { DbShard } from '../db-shards.ts';
import { adviceFor } from './advice.ts';
import type { Live, LiveMember } from './live.ts';
import { membersOf } from './members.ts';
import { reportOn, showTime } from './report.ts';

const now = Date.parse('2026-05-01T12:00:00Z');
const hourAgo = '2026-05-01T11:00:00Z';

const condition = (type: string, status: 'True' | 'False', reason: string, message = '') => ({
  type,
  status,
  reason,
  message,
  lastTransitionTime: hourAgo,
});

const shard = (over: Partial<NonNullable<DbShard['status']>> = {}): DbShard =>
  ({
    metadata: { name: 'app-a', namespace: 'shop', creationTimestamp: hourAgo },
    spec: { database: 'app', replicas: 2 },
    status: {
      primary: 'db-app-a-0',
      term: 3,
      keys: 12,
      bytes: 2 * 1024 * 1024,
      range: { start: '', end: 'm', epoch: 0 },
      log: { stream: 'QUARTET_shop_db_app-a', created: hourAgo },
      members: [
        { pod: 'db-app-a-0', node: 'node-a', zone: 'zone-a', state: 'primary', applied: 5 },
        { pod: 'db-app-a-1', node: 'node-b', zone: 'zone-b', state: 'following', applied: 5 },
      ],
      conditions: [condition('Ready', 'True', 'Serving', 'db-app-a-0 accepts writes')],
      ...over,
    },
  }) as DbShard;

const told = (pod: string, replica: Partial<NonNullable<LiveMember['beat']['replica']>>, ageMs = 120): LiveMember => ({
  beat: {
    pod,
    role: 'db',
    node: '',
    resource: 'app-a',
    incarnation: 'i',
    at: 0,
    load: {},
    replica: { state: 'following', term: 3, applied: 990, tail: 1000, figures: {}, ...replica },
  },
  ageMs,
  upForMs: 900_000,
  stateForMs: 600_000,
});

const live: Live = {
  members: [told('db-app-a-0', { state: 'primary', applied: 1000 }), told('db-app-a-1', {})],
  log: { entries: 1000, bytes: 3 * 1024 * 1024 },
};

const report = (one: DbShard, heard: Live | string, events: Parameters<typeof reportOn>[0]['events'] = []) =>
  reportOn({ shard: one, live: heard, events, now });

const advice = (one: DbShard, heard: Live | string) => adviceFor(one, membersOf(one, heard), heard);

describe('the report on a shard that is well', () => {
  it('has on one page what a person on call asks first', () => {
    const at = now - 720_000;
    const elected = {
      at,
      type: 'Normal',
      reason: 'Elected',
      message: 'db-app-a-0 leads with term 3: it is best',
      count: 1,
    };
    expect(report(shard(), live, [elected])).toBe(
      `DBShard app-a in namespace shop, database app: Ready

Range       ["", "m"), epoch 0; 12 keys, 2.0 MB
Primary     db-app-a-0 on node-a, term 3, since 2026-05-01T11:48:00.000Z (12 min)
Log         QUARTET_shop_db_app-a, 1000 entries, 3.0 MB

MEMBER       NODE     ZONE     STATE       FOR      TERM   APPLIED   LAG   HEARD       NOTE
db-app-a-0   node-a   zone-a   primary     10 min   3      1000      0     0.1 s ago
db-app-a-1   node-b   zone-b   following   10 min   3      990       10    0.1 s ago

CONDITION   STATUS   FOR      REASON    MESSAGE
Ready       True     60 min   Serving   db-app-a-0 accepts writes

EVENT     TIMES   LAST         MESSAGE
Elected   1       12 min ago   db-app-a-0 leads with term 3: it is best

WHAT TO DO
  nothing: all is as it should be`,
    );
  });

  it('says for how long at least the primary leads when no event tells', () => {
    expect(report(shard(), live)).toContain('db-app-a-0 on node-a, term 3, for at least 10 min');
  });

  it('falls back to status when no operator answers, and says so', () => {
    const text = report(shard(), 'no operator pod is ready');
    expect(text).toMatch(/db-app-a-1 +node-b +zone-b +following +- +- +5 +- +-/);
    expect(text).toContain('- no live figures: no operator pod is ready');
  });
});

describe('the report on a shard of which a replica moves', () => {
  const move = {
    replica: 'db-app-a-1',
    phase: 'Copying' as const,
    reason: 'Copying',
    message: 'db-app-a-1 moves from node-b to node-d',
    forBalance: true,
    bytes: 2 * 1024 * 1024,
  };

  it('says how far that is, and nothing about a move that is over', () => {
    expect(report(shard({ move }), live)).toMatch(
      /^Move +Copying: db-app-a-1 moves from node-b to node-d; 2.0 MB, for balance$/m,
    );
    expect(report(shard({ move: { ...move, phase: 'Moved' } }), live)).not.toMatch(/^Move/m);
  });
});

describe('the report on a shard that was merged', () => {
  it('says that it has no keys any more, and asks for nothing but its deletion', () => {
    const merged = shard({
      range: { start: 'm', end: 'm', epoch: 3 },
      conditions: [
        condition('Ready', 'False', 'Merged', 'its keys are those of low now'),
        condition('Merged', 'True', 'Merged', 'its keys are those of low now; it can be deleted'),
      ],
    });
    const text = report(merged, live);
    expect(text).toMatch(/^Range +no keys, epoch 3/m);
    expect(text).toMatch(/^Merge +Merged: its keys are those of low now; it can be deleted/m);
    expect(advice(merged, live)).toHaveLength(1);
  });
});

describe('what to do', () => {
  test.each<[string, DbShard, Live | string, RegExp, RegExp]>([
    [
      'about a condition',
      shard({ conditions: [condition('Ready', 'False', 'NoPrimary', 'a replica is asked to lead')] }),
      live,
      /not Ready, NoPrimary: a replica is asked to lead/,
      /kubectl -n shop get pods -l app.kubernetes.io\/instance=app-a/,
    ],
    [
      'about a resource that nobody looks at',
      shard({ conditions: [] }),
      live,
      /no operator has seen/,
      /is an operator running/,
    ],
    [
      'about a gap',
      shard({
        conditions: [
          condition('Ready', 'True', 'Serving'),
          condition('RangeConsistent', 'False', 'Gap', 'no shard holds x'),
        ],
      }),
      live,
      /RangeConsistent is False, Gap: no shard holds x/,
      /create a shard for them/,
    ],
    [
      'about a member that is halted',
      shard(),
      { ...live, members: [told('db-app-a-1', { state: 'halted', reason: 'the log is another one' })] },
      /db-app-a-1 is halted: the log is another one/,
      /kubectl -n shop delete pvc\/data-db-app-a-1 pod\/db-app-a-1/,
    ],
    [
      'about a member that is silent',
      shard(),
      { ...live, members: [told('db-app-a-1', {}, 42_000)] },
      /db-app-a-1 has been silent for 42 s/,
      /kubectl describe node node-b/,
    ],
    [
      'about a member that is behind',
      shard(),
      { ...live, members: [told('db-app-a-1', { applied: 10, tail: 5000 })] },
      /db-app-a-1 is 4990 entries behind/,
      /catches up by itself/,
    ],
    [
      'about a split that cannot begin',
      shard({
        conditions: [
          condition('Ready', 'True', 'Serving'),
          condition('Splitting', 'False', 'KeyOutside', 'choose another key'),
        ],
      }),
      live,
      /the split cannot begin: choose another key/,
      /as it says/,
    ],
    [
      'about a split that waits',
      shard({
        conditions: [
          condition('Ready', 'True', 'Serving'),
          condition('Splitting', 'True', 'Copying', 'half copies all keys; waits: no primary'),
        ],
      }),
      live,
      /the split waits: .*no primary/,
      /primaries of both shards/,
    ],
    [
      'about a merge that cannot begin',
      shard({
        conditions: [
          condition('Ready', 'True', 'Serving'),
          condition('Merging', 'False', 'NotNeighbours', 'name another'),
        ],
      }),
      live,
      /the merge cannot begin: name another/,
      /as it says/,
    ],
    [
      'about a merge that waits',
      shard({
        conditions: [
          condition('Ready', 'True', 'Serving'),
          condition('Merging', 'True', 'Following', 'low follows the log; waits: no primary'),
        ],
      }),
      live,
      /the merge waits: .*no primary/,
      /--cancel/,
    ],
    [
      'about a shard that was merged',
      shard({
        range: { start: 'm', end: 'm', epoch: 3 },
        conditions: [
          condition('Ready', 'False', 'Merged', 'its keys are those of low now'),
          condition('Merged', 'True', 'Merged', 'its keys are those of low now; it can be deleted'),
        ],
      }),
      live,
      /it is no longer needed: its keys are those of low now/,
      /kubectl -n shop delete dbshard app-a/,
    ],
  ])('%s', (...row) => {
    const [, one, heard, problem, todo] = row;
    const found = advice(one, heard).find((it) => problem.test(it.problem));
    expect(found?.todo).toMatch(todo);
  });

  it('is nothing about a rebuild: its progress is beside the member', () => {
    const rebuild = { stage: 'copying', bytes: 5 * 1024 * 1024, bytesPerSecond: 1024 * 1024 } as const;
    const heard = { ...live, members: [told('db-app-a-1', { state: 'rebuilding', rebuild })] };
    expect(report(shard(), heard)).toContain('rebuild: copying, 5.0 MB so far, 1.0 MB/s');
    expect(advice(shard(), heard)).toEqual([]);
  });
});

test.each([
  [80, '0.1 s'],
  [42_000, '42 s'],
  [600_000, '10 min'],
  [10_800_000, '3 h'],
  [864_000_000, '10 days'],
])('%i ms are shown as %s', (ms, text) => {
  expect(showTime(ms)).toBe(text);
});
