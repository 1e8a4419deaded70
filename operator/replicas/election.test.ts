import * as fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { candidates, decideElection, type Election } from './election.ts';
import { anyView } from './arbitrary.ts';
import { beat, lostNode, node, primary, replica, view } from './testing.ts';
import { appliedOf, type SetView } from './view.ts';

const silent = { ageMs: 1501 };
const dead = primary(0, 'a', { beat: beat('primary', silent) });
const noBeat = { beat: null };

interface Case {
  readonly rule: string;
  readonly view: SetView;
  readonly expected: Partial<Election>;
}

const cases: readonly Case[] = [
  { rule: 'whoever leads keeps leading', view: view(), expected: { type: 'keep', pod: 'r0', term: 1 } },
  {
    rule: 'of two that claim to lead the higher term holds',
    view: view({ replicas: [primary(0, 'a'), replica(1, 'b', { beat: beat('primary', { term: 2 }) })] }),
    expected: { type: 'keep', pod: 'r1', term: 2 },
  },
  {
    rule: 'a silent primary is followed by the most advanced replica, with the next term',
    view: view({
      replicas: [dead, replica(1, 'b', { beat: beat('following', { applied: 90 }) }), replica(2, 'c')],
    }),
    expected: { type: 'elect', pod: 'r2', term: 2 },
  },
  {
    rule: 'of equals the one in the zone with the fewest primaries is elected',
    view: view({
      replicas: [dead, replica(1, 'b'), replica(2, 'c')],
      nodes: [node('a'), node('b', { primaries: 1 }), node('c')],
    }),
    expected: { type: 'elect', pod: 'r2' },
  },
  {
    rule: 'of equals in all the first by name is elected',
    view: view({ replicas: [dead, replica(2, 'c'), replica(1, 'b')] }),
    expected: { type: 'elect', pod: 'r1' },
  },
  {
    rule: 'silence proves nothing while the operator itself hears too little',
    view: view({ replicas: [dead, replica(1, 'b'), replica(2, 'c')], evidence: 'none' }),
    expected: { type: 'wait' },
  },
  {
    rule: 'a lost node is evidence by itself',
    view: view({
      replicas: [dead, replica(1, 'b'), replica(2, 'c')],
      nodes: [lostNode('a', 100), node('b'), node('c')],
      evidence: 'none',
    }),
    expected: { type: 'elect', pod: 'r1' },
  },
  {
    rule: 'a pod that is gone from Kubernetes is followed at once, without evidence',
    view: view({ replicas: [replica(0, 'a', { presence: 'absent', ...noBeat }), replica(1, 'b')], evidence: 'none' }),
    expected: { type: 'elect', pod: 'r1' },
  },
  {
    rule: 'a primary whose node is lost but that still beats keeps leading',
    view: view({ nodes: [lostNode('a', 60_000), node('b'), node('c')] }),
    expected: { type: 'keep', pod: 'r0' },
  },
  {
    rule: 'a restarted primary that follows now is replaced at once',
    view: view({ replicas: [replica(0, 'a', { beat: beat('starting') }), replica(1, 'b')] }),
    expected: { type: 'elect', pod: 'r1' },
  },
  {
    rule: 'one that resigned is asked last, even when it is the most advanced',
    view: view({
      replicas: [replica(0, 'a', { beat: beat('following', { applied: 101 }) }), replica(1, 'b'), replica(2, 'c')],
    }),
    expected: { type: 'elect', pod: 'r1' },
  },
  {
    rule: 'one that resigned leads again when there is no other',
    view: view({ replicas: [replica(0, 'a')], desired: 1 }),
    expected: { type: 'elect', pod: 'r0', term: 2 },
  },
  {
    rule: 'a primary whose pod is being deleted hands over',
    view: view({ replicas: [primary(0, 'a', { presence: 'terminating' }), replica(1, 'b')] }),
    expected: { type: 'elect', pod: 'r1', term: 2, from: 'r0' },
  },
  {
    rule: 'a primary whose pod is being deleted leads on while no other can',
    view: view({ replicas: [primary(0, 'a', { presence: 'terminating' })] }),
    expected: { type: 'keep', pod: 'r0' },
  },
  {
    rule: 'halted, rebuilding and starting replicas are not elected',
    view: view({
      replicas: [
        dead,
        replica(1, 'b', { beat: beat('halted') }),
        replica(2, 'c', { beat: beat('rebuilding') }),
        replica(3, 'd', { beat: beat('starting') }),
      ],
    }),
    expected: { type: 'wait' },
  },
  {
    rule: 'one that refused a moment ago is asked after the others',
    view: view({ replicas: [dead, replica(1, 'b', { refused: true }), replica(2, 'c')] }),
    expected: { type: 'elect', pod: 'r2' },
  },
  {
    rule: 'an answer on its way is waited for',
    view: view({
      replicas: [dead, replica(1, 'b'), replica(2, 'c')],
      inFlight: { type: 'promote', pod: 'r1', backingOff: false },
    }),
    expected: { type: 'wait' },
  },
  {
    rule: 'an answer of a replica that fell silent is not waited for',
    view: view({
      replicas: [dead, replica(1, 'b', { beat: beat('following', silent) }), replica(2, 'c')],
      inFlight: { type: 'promote', pod: 'r1', backingOff: false },
    }),
    expected: { type: 'elect', pod: 'r2' },
  },
  {
    rule: 'after a failure the next try waits',
    view: view({ replicas: [dead, replica(1, 'b')], inFlight: { type: 'promote', pod: 'r1', backingOff: true } }),
    expected: { type: 'wait' },
  },
  {
    rule: 'who just answered yes leads, even if its last heartbeat is older than that',
    view: view({
      replicas: [dead, replica(1, 'b')],
      recorded: { primary: 'r1', term: 2 },
      settling: true,
    }),
    expected: { type: 'keep', pod: 'r1', term: 2 },
  },
  {
    rule: 'one that promotes itself is given time',
    view: view({ replicas: [dead, replica(1, 'b', { beat: beat('promoting', { stateForMs: 10 }) }), replica(2, 'c')] }),
    expected: { type: 'wait' },
  },
  {
    rule: 'one that has been promoting itself for too long is passed over',
    view: view({
      replicas: [dead, replica(1, 'b', { beat: beat('promoting', { stateForMs: 5001 }) }), replica(2, 'c')],
    }),
    expected: { type: 'elect', pod: 'r2' },
  },
  {
    rule: 'the first primary of a new set is chosen when all replicas have appeared',
    view: view({
      replicas: [replica(0, 'a', { beat: beat('following', { term: 0, upForMs: 500 }) }), replica(1, 'b', noBeat)],
      recorded: { primary: null, term: 0 },
    }),
    expected: { type: 'wait' },
  },
  {
    rule: 'the first primary of a new set is not waited for long',
    view: view({
      replicas: [replica(0, 'a', { beat: beat('following', { term: 0, upForMs: 1500 }) }), replica(1, 'b', noBeat)],
      recorded: { primary: null, term: 0 },
    }),
    expected: { type: 'elect', pod: 'r0', term: 1 },
  },
  {
    rule: 'the next term is above every term that anyone heard of',
    view: view({ replicas: [dead, replica(1, 'b', { beat: beat('following', { term: 7 }) })] }),
    expected: { type: 'elect', term: 8 },
  },
];

describe('election', () => {
  test.each(cases)('$rule', ({ view: given, expected }) => {
    expect(decideElection(given)).toMatchObject(expected);
  });
});

describe('election, whatever the situation', () => {
  it('elects only replicas that are heard, run, and can lead', () => {
    fc.assert(
      fc.property(anyView, (given) => {
        const election = decideElection(given);
        if (election.type !== 'elect') return;
        const chosen = given.replicas.find(({ pod }) => pod === election.pod);
        expect(chosen?.presence).toBe('running');
        expect(chosen?.beat?.ageMs).toBeLessThanOrEqual(given.suspectAfterMs);
        expect(['following', 'primary']).toContain(chosen?.beat?.state);
      }),
    );
  });

  it('asks for a term above all terms known', () => {
    fc.assert(
      fc.property(anyView, (given) => {
        const election = decideElection(given);
        if (election.type !== 'elect') return;
        for (const { beat: heard } of given.replicas) expect(election.term).toBeGreaterThan(heard?.term ?? 0);
        expect(election.term).toBeGreaterThan(given.recorded.term);
      }),
    );
  });

  it('never deposes a primary that is heard and not being deleted', () => {
    fc.assert(
      fc.property(anyView, (given) => {
        const leads = given.replicas.some(
          ({ beat: heard, presence }) =>
            heard?.state === 'primary' && heard.ageMs <= given.suspectAfterMs && presence === 'running',
        );
        const dying = given.replicas.some(({ presence }) => presence === 'terminating');
        if (leads && !dying) expect(decideElection(given).type).toBe('keep');
      }),
    );
  });

  it('passes over a more advanced replica only when it refused, resigned or cannot lead', () => {
    fc.assert(
      fc.property(anyView, (given) => {
        const election = decideElection(given);
        if (election.type !== 'elect') return;
        const fair = candidates(given).filter(({ refused, pod }) => !refused && pod !== given.recorded.primary);
        const best = Math.max(0, ...fair.map(appliedOf));
        const chosen = given.replicas.find(({ pod }) => pod === election.pod);
        if (chosen && fair.length > 0) expect(appliedOf(chosen)).toBeGreaterThanOrEqual(best);
      }),
    );
  });
});

describe('a node that comes and goes', () => {
  /** Its primary falls silent each time as soon as it was elected; decided every 100 ms. */
  const electionsWithin = (ms: number): number[] => {
    const at: number[] = [];
    for (let now = 0; now < ms; now += 100) {
      const elections = at.map((then) => now - then).filter((age) => age < 60_000);
      const silent = primary(0, 'a', { beat: beat('primary', { ageMs: 10_000 }) });
      const given = view({ replicas: [silent, replica(1, 'b'), replica(2, 'c')], elections });
      if (decideElection(given).type === 'elect') at.push(now);
    }
    return at;
  };

  it('costs the first two elections at once, and nine a minute at most', () => {
    const at = electionsWithin(60_000);
    expect(at[1]).toBe(100);
    expect(at.length).toBeLessThanOrEqual(9);
    expect(electionsWithin(600_000).length).toBeLessThanOrEqual(70);
  });

  it('never waits longer than 10 s for the next', () => {
    const at = electionsWithin(600_000);
    for (const [index, time] of at.entries()) expect(time - (at[index - 1] ?? time)).toBeLessThanOrEqual(10_100);
  });
});
