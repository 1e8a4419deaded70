import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeDbShard } from './plan.ts';
import type { ShardView } from './shard-view.ts';
import { deleted, low, range, top, up } from './testing-merge.ts';

describe('while shards are merged one after another', () => {
  /** What a cluster shows at each step of the merge of `up` into `low`, then of `top`. */
  const steps = (lower: ShardView, upper: ShardView, epoch: number): [ShardView, ShardView][] => {
    const [start, border, end] = [lower.range?.start ?? '', upper.range?.start ?? '', upper.range?.end ?? ''];
    const own = range(start, border, epoch);
    const all = range(start, end, epoch + 1);
    const from = { from: upper.name, merge: true } as const;
    const gives = { mergeInto: lower.name, givesTo: lower.name };
    const gone = { ...upper, ...gives, range: null, emptied: { at: border, epoch: epoch + 1 } };
    const away = { to: lower.name, start: border, end };
    const takes = { ...lower, takesFrom: upper.name };
    return [
      [lower, { ...upper, mergeInto: lower.name }],
      [takes, { ...upper, ...gives }],
      [
        { ...takes, range: own, merging: { ...from, phase: 'snapshot' } },
        { ...upper, ...gives },
      ],
      [
        { ...takes, range: own, merging: { ...from, phase: 'log' } },
        { ...upper, ...gives },
      ],
      [
        { ...takes, range: own, merging: { ...from, phase: 'log' } },
        { ...gone, handed: away },
      ],
      [
        { ...takes, range: all, merging: { ...from, phase: 'open' } },
        { ...gone, handed: away },
      ],
      [{ ...takes, range: all, merging: { ...from, phase: 'open' } }, gone],
      [{ ...takes, range: all }, gone],
      [
        { ...lower, range: all },
        { ...gone, wasMerged: true, transactions: 0 },
      ],
    ];
  };
  const first = steps(low({ range: range('', 'm', 1) }), up({ mergeInto: null }), 2);
  const [joined = low(), gone = up()] = first.at(-1) ?? [];
  const moments = [
    ...first.map((pair) => [...pair, top]),
    ...steps(joined, top, 4).map(([lower, upper]) => [lower, gone, upper]),
  ];

  it('ranges fit all the time, also when what is known of a shard is a step old', () => {
    const index = fc.integer({ min: 0, max: moments.length - 1 });
    fc.assert(
      fc.property(index, fc.nat({ max: 1 }), fc.nat({ max: 2 }), (now, behind, which) => {
        const current = moments[now] ?? [];
        const old = moments[Math.max(0, now - behind)] ?? [];
        const known = current.map((shard, i) => (i === which ? (old[i] ?? shard) : shard));
        for (const own of known) {
          const { conditions, conflict } = judgeDbShard(own, known);
          expect(conflict).toBeNull();
          expect(conditions.find(({ type }) => type === 'RangeConsistent')).toMatchObject({ status: true });
        }
      }),
    );
  });

  it('a shard that takes keys over, and the one that gives them, are not deleted, also when one is known a step late', () => {
    for (const [i, all] of moments.entries()) {
      const lower = all.find(({ merging }) => merging !== null);
      const upper = all.find(({ name }) => name === lower?.merging?.from);
      for (const own of [lower, upper]) {
        if (own === undefined) continue;
        const late = all.map((one, at) => (one === own ? one : (moments[i - 1]?.[at] ?? one)));
        expect(deleted(own, all)).not.toBeNull();
        expect(deleted(own, late)).not.toBeNull();
      }
    }
  });
});
