import type { DbShard } from '../db-shards.ts';
import type { Live, LiveMember } from './live.ts';

/** A replica for whoever is on call. */
export interface Member {
  readonly pod: string;
  readonly node: string;
  readonly zone: string;
  /** As status tells it; what it says itself when it is heard. */
  readonly state: string;
  readonly term: number | null;
  readonly applied: number | null;
  /** Entries of the log that it has yet to apply. */
  readonly lag: number | null;
  /** Time since its last heartbeat, ms; null: nothing was heard. */
  readonly heardMs: number | null;
  /** Since when it is in its state, as far as the operator has listened, ms. */
  readonly stateForMs: number | null;
  /** Why it is halted, what it waits for, how far it is rebuilt. */
  readonly note: string;
}

/** A heartbeat comes four times a second: one that is this old is from a pod that is silent. */
export const silentAfterMs = 5000;

const noteOf = (beat: LiveMember['beat'], message: string | undefined): string => {
  const rebuild = beat.replica?.rebuild;
  if (rebuild === undefined) return beat.replica?.reason ?? message ?? '';
  const mb = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MB`;
  const rate = rebuild.stage === 'copying' ? `, ${mb(rebuild.bytesPerSecond)}/s` : '';
  return `rebuild: ${rebuild.stage}, ${mb(rebuild.bytes)} so far${rate}`;
};

type Seen = NonNullable<NonNullable<DbShard['status']>['members']>[number];

/** What only its heartbeats tell. */
const unheard = { term: null, lag: null, heardMs: null, stateForMs: null } as const;

const memberOf = (seen: Seen, told: LiveMember | undefined): Member => {
  const { pod, node = '', zone = '', state = 'unknown', message = '' } = seen;
  const replica = told?.beat.replica;
  const place = { pod, node, zone };
  if (told === undefined || replica === undefined) {
    return { ...place, ...unheard, state, applied: seen.applied ?? null, note: message };
  }
  return {
    ...place,
    state: told.ageMs > silentAfterMs ? `silent (${replica.state})` : replica.state,
    term: replica.term,
    applied: replica.applied,
    lag: Math.max(0, replica.tail - replica.applied),
    heardMs: told.ageMs,
    stateForMs: told.stateForMs,
    note: noteOf(told.beat, message),
  };
};

/** The replicas of a shard: from its status, and from what is heard of them now. Pure. */
export const membersOf = ({ status }: DbShard, live: Live | string): Member[] => {
  const told = typeof live === 'string' ? [] : live.members;
  return (status?.members ?? []).map((seen) =>
    memberOf(
      seen,
      told.find(({ beat }) => beat.pod === seen.pod),
    ),
  );
};
