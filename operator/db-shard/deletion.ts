import type { Problem } from '../replica-set/plan.ts';
import { mergeOf } from './merge.ts';
import { showRange } from './ranges.ts';
import { isDone, type ShardView } from './shard-view.ts';
import { isHandedTo } from './split.ts';

const held = (reason: string, message: string): Problem => ({ reason, message });

const override = 'to delete it all the same, set the annotation quartet.dev/delete-keys=true';

/** It gave keys to a new half, which is not done. */
const givesStill = ({ handed }: ShardView, all: readonly ShardView[]): Problem | null => {
  const taker = all.find(({ name }) => name === handed?.to);
  if (handed === null || taker === undefined || isDone(taker)) return null;
  const message = `${showRange(handed)} was given to ${taker.name}, which needs this shard until it has taken it`;
  return held('KeysGivenAway', message);
};

/** It is a new half to which keys were given. */
const takesStill = (own: ShardView, all: readonly ShardView[]): Problem | null => {
  const source = all.find(({ name }) => name === own.splitFrom?.shard);
  if (isDone(own) || !source?.handed || !isHandedTo(own, source)) return null;
  const message = `${showRange(source.handed)} of ${source.name} is on its way here: it has no other place`;
  return held('KeysUnderWay', message);
};

/** From the hand-over on both shards of a merge are needed; before it, until the lower one has said that it gave up. */
const mergesStill = (own: ShardView, all: readonly ShardView[]): Problem | null => {
  const merge = mergeOf(own, all);
  if (merge.type !== 'goes-on') return null;
  const { phase, from, keys, lower, message } = merge;
  if (phase !== 'HandedOver' && phase !== 'Open') {
    return own.mayDeleteKeys ? null : held('MergeTakenBack', `${message}; ${override}`);
  }
  const range = keys === null ? 'keys' : showRange(keys);
  return own.name === lower.name
    ? held('KeysUnderWay', `${range} of ${from} came here: this is their only place`)
    : held(
        'KeysGivenAway',
        `${range} was given to ${lower.name}, which needs this shard until it has told that it serves it`,
      );
};

/** Its keys are elsewhere, but others may ask what became of a transaction that it took part in. */
const isAskedStill = (own: ShardView, all: readonly ShardView[]): Problem | null => {
  if (own.emptied === null || own.transactions === 0 || own.mayDeleteKeys) return null;
  if (mergeOf(own, all).type !== 'over') return null;
  const why =
    own.transactions === null
      ? 'it is not known whether transactions over several shards may still ask this one: one of its replicas has to be heard'
      : 'transactions over several shards are not over, and may still ask this one';
  return held('TransactionsOpen', `${why}; ${override}`);
};

/** Who asked for the deletion before the keys came may not have meant them. */
const needsConfirmation = (own: ShardView): Problem | null => {
  if (!own.wasHeld || own.mayDeleteKeys || own.range === null) return null;
  return held(
    'KeysTakenOver',
    `keys came here after the deletion was asked for, and ${showRange(own.range)} would be lost: ${override}`,
  );
};

/**
 * Why a shard must not be deleted now; null: it may. Between a hand-over and the moment when the shard that takes the keys
 * has told that it serves them, both are needed. Who deletes the taker in that time may have meant to give all up, and
 * would lose the keys instead: so that has to be confirmed. Pure.
 */
export const whyNotDeleted = (own: ShardView, all: readonly ShardView[]): Problem | null =>
  givesStill(own, all) ??
  takesStill(own, all) ??
  mergesStill(own, all) ??
  isAskedStill(own, all) ??
  needsConfirmation(own);
