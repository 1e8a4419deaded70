import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Sequencer, type LiveMessage } from './sequencer.ts';
import type { StoredPublication } from './stored-publication.ts';

const stored = (seq: number): StoredPublication => ({ seq, time: 0, json: String(seq) });

/** A room in a shared stream: message i follows message i - 1, sequences have holes. */
const room = fc
  .array(fc.nat(4), { minLength: 1, maxLength: 60 })
  .map((holes) => holes.map((_, i) => holes.slice(0, i + 1).reduce((sum, hole) => sum + hole + 1, 0)));

const live = (sequences: readonly number[], index: number): LiveMessage => {
  const seq = sequences[index] ?? 0;
  return { seq, previous: sequences[index - 1] ?? 0, publication: stored(seq) };
};

describe('a sequencer', () => {
  it('delivers every message once and in order, however live messages are lost, doubled or late', () => {
    const fates = fc.array(fc.constantFrom('arrives', 'arrives', 'arrives', 'lost', 'doubled'), {
      minLength: 60,
      maxLength: 60,
    });
    const delays = fc.array(fc.nat(3), { minLength: 60, maxLength: 60 });
    fc.assert(
      fc.property(room, fates, delays, (sequences, fate, delay) => {
        const sequencer = new Sequencer(0);
        const delivered: number[] = [];
        const take = (publications: readonly StoredPublication[]): void => {
          delivered.push(...publications.map(({ seq }) => seq));
        };
        let published = 0;
        let readAt = -1;
        const repair = (): void => {
          const upTo = sequences[published - 1] ?? 0;
          while (sequencer.repairing) {
            const missed = sequences.slice(0, published).filter((seq) => seq > sequencer.top);
            take(sequencer.repaired(missed.map(stored), upTo));
          }
        };
        sequences.forEach((_, index) => {
          published = index + 1;
          if (readAt === index) repair();
          if (fate[index] === 'lost') return;
          for (let copy = 0; copy < (fate[index] === 'doubled' ? 2 : 1); copy++) {
            const step = sequencer.take(live(sequences, index));
            if (step.kind === 'deliver') take([step.publication]);
            if (step.kind === 'gap') readAt = index + 1 + (delay[index] ?? 0);
          }
        });
        // the audit at the end
        sequencer.startRepair();
        repair();
        expect(delivered).toEqual(sequences);
      }),
    );
  });

  it('has a message checked whose predecessors were removed from the stream: one may have gone unseen', () => {
    const sequencer = new Sequencer(10);
    expect(sequencer.take({ seq: 12, previous: 7, publication: stored(12) }).kind).toBe('deliver');
    for (const previous of [0, 11]) {
      expect(sequencer.take({ seq: 20, previous, publication: stored(20) }).kind).toBe('gap');
      sequencer.repairFailed();
    }
    expect(sequencer.take({ seq: 20, previous: 12, publication: stored(20) }).kind).toBe('deliver');
  });

  it('counts a foreign message without handing it out', () => {
    const sequencer = new Sequencer(1);
    expect(sequencer.take({ seq: 2, previous: 1, publication: null })).toEqual({ kind: 'nothing' });
    expect(sequencer.take({ seq: 3, previous: 2, publication: stored(3) })).toMatchObject({ kind: 'deliver' });
  });

  it('shows a gap again after a repair that failed', () => {
    const sequencer = new Sequencer(1);
    expect(sequencer.take({ seq: 5, previous: 3, publication: stored(5) }).kind).toBe('gap');
    sequencer.repairFailed();
    expect(sequencer.take({ seq: 6, previous: 5, publication: stored(6) }).kind).toBe('gap');
    expect(sequencer.repaired([stored(3), stored(5), stored(6)], 6).map(({ seq }) => seq)).toEqual([3, 5, 6]);
  });
});
