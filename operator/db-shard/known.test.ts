import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RangeReport } from '../../contract/heartbeat.ts';
import { learn, type Witness } from './known.ts';

/** What the log of one shard says from some entry on, for a shard that was split twice and one that took keys over. */
const sourceStory: readonly RangeReport[] = [
  { start: '', end: '', epoch: 0 },
  { start: '', end: 'm', epoch: 1, handed: { to: 'half', start: 'm', end: '' } },
  { start: '', end: 'm', epoch: 1 },
  { start: '', end: 'f', epoch: 2, handed: { to: 'other', start: 'f', end: 'm' } },
  { start: '', end: 'f', epoch: 2 },
];
const targetStory: readonly RangeReport[] = [
  { start: 'm', end: 'm', epoch: 1, intake: { from: 'whole', phase: 'snapshot' } },
  { start: 'm', end: 'm', epoch: 1, intake: { from: 'whole', phase: 'log' } },
  { start: 'm', end: '', epoch: 1, intake: { from: 'whole', phase: 'open' } },
  { start: 'm', end: '', epoch: 1 },
  { start: 'm', end: 't', epoch: 2, handed: { to: 'third', start: 't', end: '' } },
];

/** The lower shard of a merge that is given up once, and then comes to its end. */
const lowerStory: readonly RangeReport[] = [
  { start: '', end: 'm', epoch: 1 },
  { start: '', end: 'm', epoch: 2, intake: { from: 'upper', phase: 'snapshot', merge: true } },
  { start: '', end: 'm', epoch: 2 },
  { start: '', end: 'm', epoch: 4, intake: { from: 'upper', phase: 'log', merge: true } },
  { start: '', end: '', epoch: 5, intake: { from: 'upper', phase: 'open', merge: true } },
  { start: '', end: '', epoch: 5 },
];
/** The upper one, which bars the first epoch. */
const upperStory: readonly RangeReport[] = [
  { start: 'm', end: '', epoch: 1 },
  { start: 'm', end: '', epoch: 3 },
  { start: 'm', end: 'm', epoch: 5, handed: { to: 'lower', start: 'm', end: '' } },
  { start: 'm', end: 'm', epoch: 5, transactions: 1 },
];

const at = (story: readonly RangeReport[], place: number): Witness => ({
  report: story[Math.min(place, story.length - 1)] ?? { start: '', end: '', epoch: 0 },
  applied: place * 10,
});

const phases = { waiting: 'Waiting', snapshot: 'Copying', log: 'Following', open: 'Open' } as const;

const mergeOf = ({ merging, emptied, handed }: ReturnType<typeof learn>) => {
  if (merging !== null) return { merge: { from: merging.from, phase: phases[merging.phase] } };
  if (emptied === null) return {};
  const keys = handed && { start: handed.start, end: handed.end };
  return { merge: { to: 'lower', phase: keys ? ('HandedOver' as const) : ('Merged' as const), ...(keys && { keys }) } };
};

/** As the operator writes it. */
const rangeOf = ({ range, emptied }: ReturnType<typeof learn>) =>
  range ?? (emptied && { start: emptied.at, end: emptied.at, epoch: emptied.epoch });

const statusOf = (known: ReturnType<typeof learn>) => ({
  ...(rangeOf(known) && { range: rangeOf(known) ?? { start: '', end: '', epoch: 0 } }),
  ...mergeOf(known),
  ...(known.handed &&
    !known.emptied && {
      split: {
        to: known.handed.to,
        phase: 'HandedOver' as const,
        keys: { start: known.handed.start, end: known.handed.end },
      },
    }),
  ...(known.intake?.phase === 'open' && { split: { from: known.intake.from, phase: 'Open' as const } }),
});

describe('what is known of a range', () => {
  it('is nothing without a report and a status', () => {
    expect(learn([], undefined)).toEqual({ range: null, emptied: null, intake: null, merging: null, handed: null });
  });

  it('is what the replica says that has applied most', () => {
    const known = learn([at(sourceStory, 0), at(sourceStory, 1)], undefined);
    expect(known.range).toEqual({ start: '', end: 'm', epoch: 1 });
    expect(known.handed).toEqual({ to: 'half', start: 'm', end: '' });
  });

  it('is no range while keys are being taken over, whatever the report shows as bounds', () => {
    const waiting: RangeReport = { start: '', end: '', epoch: 0, intake: { from: 'whole', phase: 'waiting' } };
    expect(learn([{ report: waiting, applied: 1 }], undefined).range).toBeNull();
    expect(learn([at(targetStory, 1)], undefined)).toMatchObject({ range: null, intake: { phase: 'log' } });
  });

  it('is what status says while nobody is heard', () => {
    const split = { to: 'half', phase: 'HandedOver', keys: { start: 'm', end: '' } } as const;
    expect(learn([], { range: { start: '', end: 'm', epoch: 1 }, split })).toEqual({
      range: { start: '', end: 'm', epoch: 1 },
      emptied: null,
      intake: null,
      merging: null,
      handed: { to: 'half', start: 'm', end: '' },
    });
  });

  it.each([
    ['a shard that is split', sourceStory],
    ['a new half', targetStory],
    ['a shard that takes over its upper neighbour', lowerStory],
    ['a shard that is merged into its lower neighbour', upperStory],
  ])('of %s never goes back, whoever is heard after an operator restarted or heartbeats were lost', (_, story) => {
    const place = fc.integer({ min: 0, max: story.length - 1 });
    /** In each round the log has grown, some replicas are heard, each somewhere behind, and status may not be written. */
    const rounds = fc.array(
      fc.record({
        grow: fc.integer({ min: 0, max: 1 }),
        behind: fc.array(place, { maxLength: 3 }),
        written: fc.boolean(),
      }),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(rounds, (list) => {
        let status: ReturnType<typeof statusOf> | undefined;
        let tail = 0;
        let shown = -1;
        for (const { grow, behind, written } of list) {
          tail = Math.min(story.length - 1, tail + grow);
          const heard = behind.map((back) => at(story, Math.max(0, tail - back)));
          const known = learn(heard, status);
          const rank = story.findLastIndex((report) => {
            return JSON.stringify(learn([{ report, applied: 0 }], undefined)) === JSON.stringify(known);
          });
          // without a range there is nothing to remember: the next operator learns it again from replicas
          const hasRange = rangeOf(known) !== null;
          if (hasRange) expect(rank).toBeGreaterThanOrEqual(shown);
          else expect(shown).toBe(-1);
          if (written && hasRange) {
            status = statusOf(known);
            shown = rank;
          }
        }
      }),
    );
  });

  it('does not depend on the order in which replicas are heard', () => {
    const heard = fc.array(fc.integer({ min: 0, max: sourceStory.length - 1 }), { maxLength: 4 });
    fc.assert(
      fc.property(heard, (places) => {
        const witnesses = places.map((place) => at(sourceStory, place));
        expect(learn(witnesses, undefined)).toEqual(learn(witnesses.toReversed(), undefined));
      }),
    );
  });
});
