import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyFleet } from './arbitrary.ts';
import type { Budget } from './budget.ts';
import { decide, margin, type Decision } from './decide.ts';
import type { FleetSet, FleetView } from './fleet-view.ts';
import { Imbalance } from './imbalance.ts';
import { GiB } from './testing.ts';

const plenty: Budget = { movesAtOnce: 1, bytesPerHour: 1000 * GiB, pauseMs: 30_000 };
const hourMs = 3_600_000;

/** The fleet a while later. */
const later = (view: FleetView, ms: number): FleetView => ({
  ...view,
  sinceLeadMs: view.sinceLeadMs + ms,
  sets: view.sets.map((set) => ({
    ...set,
    leadsForMs: set.leadsForMs + ms,
    lastMove: set.lastMove && { ...set.lastMove, agoMs: set.lastMove.agoMs + ms },
  })),
});

/** A replica has moved; who led from there is succeeded by `heir`, of those that there are. */
const moved = (view: FleetView, set: FleetSet, decision: Decision, heir: number): FleetSet => {
  const target = view.nodes.find(({ name }) => name === decision.to);
  const replacement = { pod: `${decision.pod}'`, node: decision.to, zone: target?.zone ?? '' };
  const seats = [...set.seats.filter(({ pod }) => pod !== decision.pod), replacement];
  const leads = set.leader === decision.pod;
  return {
    ...set,
    seats,
    leader: leads ? (seats[heir % seats.length]?.pod ?? null) : set.leader,
    leadsForMs: leads ? 0 : set.leadsForMs,
    lastMove: { agoMs: 0, bytes: decision.bytes },
  };
};

const carriedOut = (view: FleetView, decision: Decision, heir: number): FleetView => ({
  ...view,
  sinceLeadMs: decision.type === 'lead' ? 0 : view.sinceLeadMs,
  sets: view.sets.map((set) => {
    if (set.key !== decision.set) return set;
    if (decision.type === 'lead') return { ...set, leader: decision.pod, leadsForMs: 0 };
    return moved(view, set, decision, heir);
  }),
});

const squares = (zones: readonly string[]): number =>
  [...new Set(zones)].reduce((sum, zone) => sum + zones.filter((one) => one === zone).length ** 2, 0);

const spreadOf = ({ sets }: FleetView): number[] => sets.map(({ seats }) => squares(seats.map(({ zone }) => zone)));

describe('balance, whatever the fleet', () => {
  it('ends: each change lowers the imbalance by the margin, however long one waits between them', () => {
    fc.assert(
      fc.property(anyFleet, fc.nat(), (start, chance) => {
        let view = later(start, 2 * hourMs);
        let value = new Imbalance(view).value;
        const limit = value / margin + 1;
        for (let step = 0; ; step++) {
          expect(step).toBeLessThan(limit);
          const decision = decide(view, plenty);
          if (decision === null) break;
          view = later(carriedOut(view, decision, chance + step), 2 * hourMs);
          const next = new Imbalance(view).value;
          expect(next).toBeLessThanOrEqual(value - margin + 1e-9);
          value = next;
        }
      }),
    );
  });

  it('never spreads a set worse over zones, nor puts two of its replicas on a node', () => {
    fc.assert(
      fc.property(anyFleet, fc.nat(), (view, heir) => {
        const decision = decide(view, plenty);
        if (decision === null) return;
        const after = carriedOut(view, decision, heir);
        const before = spreadOf(view);
        spreadOf(after).forEach((cost, i) => expect(cost).toBeLessThanOrEqual(before[i] ?? 0));
        for (const { seats } of after.sets) expect(new Set(seats.map(({ node }) => node)).size).toBe(seats.length);
      }),
    );
  });

  it('never touches a set that is not well, nor a node that takes no pods', () => {
    fc.assert(
      fc.property(anyFleet, (view) => {
        const decision = decide(view, plenty);
        if (decision === null) return;
        const set = view.sets.find(({ key }) => key === decision.set);
        expect(set).toMatchObject({ settled: true, busy: false });
        expect(set?.figures).not.toBeNull();
        expect(view.nodes.find(({ name }) => name === decision.to)?.usable).toBe(true);
      }),
    );
  });

  it('never has more moves at once than it may, rests after each, and never copies more within an hour', () => {
    const budgets = fc.record({
      movesAtOnce: fc.integer({ min: 1, max: 3 }),
      bytesPerHour: fc.integer({ min: GiB, max: 60 * GiB }),
      pauseMs: fc.constantFrom(0, 30_000, 600_000),
    });
    const waits = fc.array(fc.integer({ min: 5_000, max: 1_200_000 }), { minLength: 5, maxLength: 60 });
    fc.assert(
      fc.property(anyFleet, budgets, waits, (start, budget, steps) => {
        // nothing is known to have been moved before
        const fresh = start.sets.map((set) => ({ ...set, lastMove: null, busy: false, movingBytes: 0 }));
        let view: FleetView = { ...start, sets: fresh };
        let now = 0;
        const begun: { at: number; bytes: number; ended: number | null; decision: Decision }[] = [];
        for (const ms of steps) {
          const decision = decide(view, budget);
          if (decision?.type === 'move') {
            const last = Math.max(...begun.map(({ ended }) => ended ?? 0), Number.NEGATIVE_INFINITY);
            if (begun.some(({ ended }) => ended !== null)) expect(now - last).toBeGreaterThanOrEqual(budget.pauseMs);
            begun.push({ at: now, bytes: decision.bytes, ended: null, decision });
            const mark = { settled: false, busy: true, movingBytes: decision.bytes };
            view = { ...view, sets: view.sets.map((set) => (set.key === decision.set ? { ...set, ...mark } : set)) };
          } else if (decision !== null) view = carriedOut(view, decision, 0);
          expect(begun.filter(({ ended }) => ended === null).length).toBeLessThanOrEqual(budget.movesAtOnce);
          view = later(view, ms);
          now += ms;
          // a move takes a step or two
          const over = begun.find(({ ended, at }) => ended === null && now - at > 600_000);
          if (over === undefined) continue;
          over.ended = now;
          const done = carriedOut(view, over.decision, 1);
          const free = { settled: true, busy: false, movingBytes: 0 };
          view = { ...done, sets: done.sets.map((set) => (set.key === over.decision.set ? { ...set, ...free } : set)) };
        }
        // bytes are copied between the beginning and the end of a move: they count by its end
        for (const { ended } of begun) {
          if (ended === null) continue;
          const within = begun.filter((one) => one.ended !== null && one.ended <= ended && one.ended > ended - hourMs);
          expect(within.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(budget.bytesPerHour);
        }
      }),
    );
  });
});
