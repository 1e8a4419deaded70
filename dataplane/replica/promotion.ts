import type { ControlReply } from '../../contract/control.ts';
import type { Clock } from '../log/clock.ts';
import { encodeEntry, type Entry } from '../log/entry.ts';
import { LogError } from '../log/log-error.ts';
import type { AppendOutcome, ReplicatedLog } from '../log/replicated-log.ts';
import type { Applier } from './applier.ts';
import type { Leadership } from './leadership.ts';

export interface PromotionParts {
  readonly log: Pick<ReplicatedLog, 'append' | 'extent'>;
  readonly clock: Clock;
  readonly writer: string;
  readonly applier: Applier;
  readonly leadership: Pick<Leadership, 'stand' | 'leading'>;
}

/** The operator waits 5 s for an answer. */
const promotionMs = 4_500;
const pollMs = 5;

/**
 * Makes this replica primary of `term`: appends TERM by compare-and-set where it takes the end of the log to be. When
 * that was not the end, it asks where it is, applies the log up to there, and tries again. Whoever appends in between
 * wins a round; a higher term ends it. A TERM of which nothing was heard in time may still arrive:
 * this replica leads then too, as the log says so.
 */
export async function promote(parts: PromotionParts, term: number): Promise<ControlReply> {
  const { applier, clock } = parts;
  const deadline = clock.now() + promotionMs;
  let obstacle = 'no time left';
  while (clock.now() < deadline) {
    if (applier.history.term >= term) return stale(parts, term);
    try {
      obstacle = await appendTerm(parts, term, deadline);
      if (parts.leadership.leading && applier.history.term === term) break;
      const { last } = await parts.log.extent();
      const caughtUp = await until(clock, deadline, () => applier.applied >= last);
      if (!caughtUp) return failed(`applied ${applier.applied} of ${last} in time`);
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      obstacle = error.message;
    }
    await clock.sleep(pollMs);
  }
  const leads = parts.leadership.leading && applier.history.term === term;
  return leads ? { ok: true, term, applied: applier.applied } : failed(obstacle);
}

const failed = (message: string): ControlReply => ({ ok: false, code: 'failed', message });

function stale({ applier, leadership }: PromotionParts, term: number): ControlReply {
  const found = applier.history.term;
  if (found === term && leadership.leading) return { ok: true, term, applied: applier.applied };
  return { ok: false, code: 'stale-term', message: `the log holds term ${found}`, term: found };
}

/** One round; answers what stood in the way, if anything did. */
async function appendTerm(parts: PromotionParts, term: number, deadline: number): Promise<string> {
  const { applier, clock, log, writer, leadership } = parts;
  const { seq, chain, time, term: current } = applier.history;
  if (current >= term || applier.applied !== seq) return 'the log moved on';
  const header = { kind: 'term', term, writer, time: Math.max(clock.wall(), time), previous: chain } as const;
  const encoded = encodeEntry(header, []);
  leadership.stand(encoded.id);
  const outcome = await log.append(seq, encoded, Math.max(1, deadline - clock.now()));
  const entry: Entry = { ...header, id: encoded.id, operations: [] };
  return takeIn(parts, entry, outcome, deadline);
}

async function takeIn(parts: PromotionParts, entry: Entry, outcome: AppendOutcome, deadline: number): Promise<string> {
  const { applier, clock } = parts;
  switch (outcome.outcome) {
    case 'appended':
      applier.offerOwn(outcome.seq, entry);
      await until(clock, deadline, () => applier.applied >= outcome.seq);
      return 'its TERM entry is in the log but not applied';
    case 'conflict':
      applier.offer(outcome.found);
      return 'another entry came first';
    case 'behind':
      return 'the log ends before this store';
    default:
      return outcome.message;
  }
}

async function until(clock: Clock, deadline: number, condition: () => boolean): Promise<boolean> {
  while (!condition()) {
    if (clock.now() >= deadline) return false;
    await clock.sleep(pollMs);
  }
  return true;
}
