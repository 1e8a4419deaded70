import * as fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { whyNotDeleted } from './deletion.ts';
import { judgeDbShard } from './plan.ts';
import type { ShardView } from './shard-view.ts';
import { splitOf, splitStatus } from './split.ts';
import { shardView as view } from './testing.ts';

const half = (name: string, over: Partial<ShardView> = {}): ShardView =>
  view(name, { splitFrom: { shard: 'whole', at: 'm' }, range: null, created: '2026-02-01T00:00:00Z', ...over });

const taking = (phase: 'waiting' | 'snapshot' | 'log' | 'open') => ({ from: 'whole', phase });
const handed = { to: 'half', start: 'm', end: '' };
const kept = { start: '', end: 'm', epoch: 1 };
const taken = { start: 'm', end: '', epoch: 1 };

/** The two shards in each phase of a split. */
const phases: Readonly<Record<string, readonly [ShardView, ShardView]>> = {
  Waiting: [view('whole'), half('half')],
  Copying: [view('whole'), half('half', { intake: taking('snapshot') })],
  Following: [view('whole'), half('half', { intake: taking('log') })],
  HandedOver: [view('whole', { range: kept, handed }), half('half', { intake: taking('log') })],
  Open: [view('whole', { range: kept, handed }), half('half', { range: taken, intake: taking('open') })],
  over: [view('whole', { range: kept }), half('half', { range: taken })],
};

const phasesOf = Object.entries(phases).filter(([name]) => name !== 'over');

describe.each(phasesOf)('a split that is %s', (phase, both) => {
  const [source, target] = both;

  it('shows on both shards', () => {
    expect(splitStatus(source, splitOf(source, both))).toMatchObject({ to: 'half', phase });
    expect(splitStatus(target, splitOf(target, both))).toMatchObject({ from: 'whole', phase });
    for (const own of both) {
      expect(judgeDbShard(own, both).conditions.find(({ type }) => type === 'Splitting')).toMatchObject({
        status: true,
        reason: phase,
        message: expect.stringContaining('half') as string,
      });
    }
  });

  it('is no gap and no overlap', () => {
    for (const own of both) {
      const { conditions, conflict } = judgeDbShard(own, both);
      expect(conditions.find(({ type }) => type === 'RangeConsistent')?.status).toBe(true);
      expect(conflict).toBeNull();
    }
  });

  it('leaves the source Ready, and the new shard not before it serves', () => {
    expect(judgeDbShard(source, both).unready).toBeUndefined();
    const unready = judgeDbShard(target, both).unready?.reason;
    expect(unready).toBe(phase === 'Open' ? undefined : 'TakingOver');
  });

  it('lets the shards go before the hand-over, and neither of them after it', () => {
    const isHeld = phase === 'HandedOver' || phase === 'Open';
    for (const [own, reason] of [
      [source, 'KeysGivenAway'],
      [target, 'KeysUnderWay'],
    ] as const) {
      expect(whyNotDeleted({ ...own, deleting: true }, both)?.reason).toBe(isHeld ? reason : undefined);
    }
  });
});

describe('a split', () => {
  it('that is over shows no more, and its shards may be deleted', () => {
    const both = phases['over'] ?? [];
    for (const own of both) {
      expect(splitOf(own, both)).toEqual({ type: 'none' });
      expect(whyNotDeleted({ ...own, deleting: true }, both)).toBeNull();
      expect(judgeDbShard(own, both).conditions.map(({ type, reason }) => `${type} ${reason}`)).toEqual([
        'RangeConsistent RangesFit',
      ]);
    }
  });

  it('tells how much is copied, in tenths, and what a replica waits for', () => {
    const source = view('whole', { rows: 1000 });
    const target = half('half', { rows: 437, intake: { ...taking('snapshot'), problem: 'whole has no primary' } });
    expect(splitOf(target, [source, target])).toMatchObject({
      message: 'half copies all keys of whole, about 40 % so far; waits: whole has no primary',
    });
  });

  it('is over for a source that is not heard when the new shard says so', () => {
    const both = [view('whole', { range: kept, handed }), half('half', { range: taken })];
    for (const own of both) expect(whyNotDeleted({ ...own, deleting: true }, both)).toBeNull();
  });

  test.each<[string, ShardView, readonly ShardView[], string, RegExp]>([
    ['of a shard that does not exist', half('half'), [], 'SourceMissing', /there is no DBShard whole/],
    [
      'of one that is being deleted',
      half('half'),
      [view('whole', { deleting: true })],
      'SourceMissing',
      /being deleted/,
    ],
    ['of another database', half('half'), [view('whole', { database: 'b' })], 'OtherDatabase', /database b, not app/],
    [
      'at a key below its range',
      half('half', { splitFrom: { shard: 'whole', at: 'a' } }),
      [view('whole', { range: { start: 'c', end: 'x', epoch: 0 } })],
      'KeyOutside',
      /"a" is not inside of whole \["c", "x"\): .* above "c" and below "x"/,
    ],
    [
      'at its first key',
      half('half', { splitFrom: { shard: 'whole', at: 'c' } }),
      [view('whole', { range: { start: 'c', end: '', epoch: 0 } })],
      'KeyOutside',
      /above "c"$/,
    ],
    [
      'of one that is being split already',
      half('late', { created: '2026-03-01T00:00:00Z' }),
      [view('whole'), half('half')],
      'SourceBusy',
      /whole is being split with half/,
    ],
    [
      'of one that has given keys to another',
      half('late', { splitFrom: { shard: 'whole', at: 'c' } }),
      [view('whole', { range: kept, handed }), half('half', { created: '2026-04-01T00:00:00Z' })],
      'SourceBusy',
      /with half/,
    ],
    [
      'of one that has no keys yet itself',
      half('next', { splitFrom: { shard: 'half', at: null } }),
      [view('whole'), half('half')],
      'SourceNotOpen',
      /begins when it does/,
    ],
    ['of itself', half('half', { splitFrom: { shard: 'half', at: null } }), [], 'SplitsItself', /delete it/],
  ])('%s is refused: nothing is made, and it says what to do', (...row) => {
    const [, own, others, reason, message] = row;
    const all = [own, ...others];
    const { hold, conditions } = judgeDbShard(own, all);
    expect(hold).toMatchObject({ reason, message: expect.stringMatching(message) as string });
    expect(conditions.find(({ type }) => type === 'Splitting')).toMatchObject({ status: false, reason });
  });

  it('is not held up by one that cannot begin', () => {
    const bad = half('bad', { splitFrom: { shard: 'whole', at: 'm' }, database: 'b' });
    const all = [view('whole'), bad, half('half', { created: '2026-05-01T00:00:00Z' })];
    expect(splitOf(all[2] ?? bad, all)).toMatchObject({ type: 'goes-on', phase: 'Waiting' });
  });

  it('that has begun goes before one that was made earlier', () => {
    const begun = half('begun', { created: '2026-05-01T00:00:00Z', intake: taking('snapshot') });
    const all = [view('whole'), half('early'), begun];
    expect(splitOf(begun, all)).toMatchObject({ phase: 'Copying' });
    expect(splitOf(half('early'), all)).toMatchObject({ reason: 'SourceBusy' });
  });

  it('whose new shard was deleted while keys came to it keeps them until a person confirms', () => {
    const deleting = half('half', { range: taken, deleting: true, wasHeld: true });
    const all = [view('whole', { range: kept }), deleting];
    expect(whyNotDeleted(deleting, all)).toMatchObject({
      reason: 'KeysTakenOver',
      message: expect.stringContaining('quartet.dev/delete-keys=true') as string,
    });
    expect(whyNotDeleted({ ...deleting, mayDeleteKeys: true }, all)).toBeNull();
    expect(judgeDbShard(all[0] ?? deleting, all).conditions).toMatchObject([{ type: 'RangeConsistent', status: true }]);
  });

  it('with keys that were given to a shard that is gone shows as a gap, and the source may go', () => {
    const source = view('whole', { range: kept, handed });
    expect(judgeDbShard(source, [source]).conditions).toMatchObject([{ status: false, reason: 'Gap' }]);
    expect(whyNotDeleted({ ...source, deleting: true }, [source])).toBeNull();
  });
});

describe('while a shard is split again and again', () => {
  /** The steps of each split, one after another; what is known of each shard may be from before. */
  const story = (splits: number): ShardView[][] => {
    const names = ['whole', 'b', 'c', 'd'];
    const bounds = ['t', 'm', 'f'];
    const moments: ShardView[][] = [];
    let shards: ShardView[] = [view('whole')];
    for (let i = 0; i < splits; i++) {
      const [at, to] = [bounds[i] ?? '', names[i + 1] ?? ''];
      const epoch = i + 1;
      const source = shards[0] ?? view('whole');
      const end = source.range?.end ?? '';
      const keeps = { start: '', end: at, epoch };
      const gets = { start: at, end, epoch };
      const fresh = view(to, {
        splitFrom: { shard: 'whole', at },
        range: null,
        created: `2026-0${i + 2}-01T00:00:00Z`,
      });
      const rest = shards.slice(1);
      const steps: [ShardView, ShardView][] = [
        [source, fresh],
        [source, { ...fresh, intake: taking('snapshot') }],
        [source, { ...fresh, intake: taking('log') }],
        [
          { ...source, range: keeps, handed: { to, start: at, end } },
          { ...fresh, intake: taking('log') },
        ],
        [
          { ...source, range: keeps, handed: { to, start: at, end } },
          { ...fresh, range: gets, intake: taking('open') },
        ],
        [
          { ...source, range: keeps },
          { ...fresh, range: gets, intake: taking('open') },
        ],
        [
          { ...source, range: keeps },
          { ...fresh, range: gets },
        ],
      ];
      for (const [one, other] of steps) moments.push([one, other, ...rest]);
      shards = moments.at(-1) ?? shards;
    }
    return moments;
  };
  const moments = story(3);

  it('ranges fit all the time, also when what is known of a shard is some steps old', () => {
    const index = fc.integer({ min: 0, max: moments.length - 1 });
    fc.assert(
      fc.property(index, fc.integer({ min: 0, max: 1 }), fc.nat({ max: 1 }), (now, behind, which) => {
        const current = moments[now] ?? [];
        const old = moments[Math.max(0, now - behind)] ?? [];
        const known = current.map((shard, i) =>
          i === which ? (old.find(({ name }) => name === shard.name) ?? shard) : shard,
        );
        for (const own of known) {
          const { conditions, conflict } = judgeDbShard(own, known);
          expect(conflict).toBeNull();
          expect(conditions.find(({ type }) => type === 'RangeConsistent')?.status).toBe(true);
        }
      }),
    );
  });

  it('from the hand-over to the release both shards stay, whoever is asked to go', () => {
    for (const all of moments) {
      const source = all[0];
      if (!source?.handed) continue;
      const target = all.find(({ name }) => name === source.handed?.to);
      expect(whyNotDeleted({ ...source, deleting: true }, all)?.reason).toBe('KeysGivenAway');
      expect(target && whyNotDeleted({ ...target, deleting: true }, all)?.reason).toBe('KeysUnderWay');
    }
  });
});
