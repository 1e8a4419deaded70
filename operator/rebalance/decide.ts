import { bytesAllowed, type Budget } from './budget.ts';
import { leadCandidates, moveCandidates, type Candidate } from './changes.ts';
import type { FleetView } from './fleet-view.ts';
import { Imbalance, measures, type Measure } from './imbalance.ts';

/** What is to be changed for balance, and why. */
export interface Decision {
  readonly type: 'lead' | 'move';
  /** Key of the set. */
  readonly set: string;
  readonly pod: string;
  readonly to: string;
  readonly bytes: number;
  readonly why: string;
}

/** A change lowers the imbalance by at least so much, or is not made: what is about even stays. */
export const margin = 0.05;
/** Time between two changes of primaries. */
const leadPauseMs = 5_000;

const percent = (share: number): string => `${Math.round(share * 100)} %`;

const said: Readonly<Record<Measure, (node: string, other: string, imbalance: Imbalance) => string>> = {
  replicas: (node, other, imbalance) =>
    `${node} holds ${imbalance.of(node).replicas} replicas, ${other} ${imbalance.of(other).replicas}`,
  primaries: (node, other, imbalance) =>
    `${node} leads ${imbalance.of(node).primaries} shards, ${other} ${imbalance.of(other).primaries}`,
  bytes: (node, other, imbalance) =>
    `${node} holds ${percent(imbalance.share(node, 'bytes'))} of the bytes of all replicas, ${other} ${percent(imbalance.share(other, 'bytes'))}`,
  work: (node, other, imbalance) =>
    `${node} does ${percent(imbalance.share(node, 'work'))} of all reads and writes, ${other} ${percent(imbalance.share(other, 'work'))}`,
};

const decisionOf = ({ type, set, pod, from, to, bytes, shifts }: Candidate, imbalance: Imbalance): Decision => {
  const gain = (measure: Measure): number => imbalance.gainIn(measure, shifts);
  const main = measures.reduce((best, measure) => (gain(measure) > gain(best) ? measure : best));
  return { type, set: set.key, pod, to, bytes, why: said[main](from, to, imbalance) };
};

/** Among those that bring at least half of what the best one brings, the one that copies least; then the best. */
const choose = (candidates: readonly Candidate[], imbalance: Imbalance): Candidate | null => {
  const good = candidates
    .map((candidate) => ({ candidate, gain: imbalance.gain(candidate.shifts) }))
    .filter(({ gain }) => gain >= margin);
  const most = Math.max(0, ...good.map(({ gain }) => gain));
  const rank = ({ candidate }: (typeof good)[number]): string =>
    `${candidate.set.key} ${candidate.pod} ${candidate.to}`;
  const [first] = good
    .filter(({ gain }) => gain >= most / 2)
    .sort((a, b) => a.candidate.bytes - b.candidate.bytes || b.gain - a.gain || (rank(a) < rank(b) ? -1 : 1));
  return first?.candidate ?? null;
};

/**
 * The next change for balance: of a primary while that is enough, since it copies nothing; else a move, when the budget
 * allows one. Only sets that are well and were watched for a while are touched. Null: it is even enough, or not now. Pure.
 */
export const decide = (view: FleetView, budget: Budget): Decision | null => {
  const imbalance = new Imbalance(view);
  if (view.sinceLeadMs >= leadPauseMs) {
    const lead = choose(leadCandidates(view), imbalance);
    if (lead !== null) return decisionOf(lead, imbalance);
  }
  const mostBytes = bytesAllowed(view, budget);
  if (mostBytes === null) return null;
  const move = choose(moveCandidates(view, imbalance, mostBytes), imbalance);
  return move === null ? null : decisionOf(move, imbalance);
};
