import { setTimeout as sleep } from 'node:timers/promises';
import { DbError } from '../db-error.ts';
import type { Replica } from '../../replica/replica.ts';
import type { Executor, InOrder } from '../member/executor.ts';
import { decodeRange, encodeRange, holds, rangeNote, straysNote, type KeyRange } from '../store/key-range.ts';
import type { Store } from '../store/store.ts';
import { clearsKeys } from '../store/effects.ts';
import { decodeNote, transactionOf } from '../two-phase/note.ts';
import {
  decodeHanded,
  encodeHanded,
  handedNote,
  judgeBar,
  judgeHandOver,
  type Handed,
  type HandOver,
} from './hand-over.ts';
import { decodeIntake, intakeNote } from './intake-note.ts';

/** For so long new transactions wait for those that are in the way, milliseconds; they last milliseconds, if nobody dies. */
const drainMs = 1_000;
const lookMs = 5;

export interface SplitSourceOptions {
  readonly executor: Pick<Executor, 'inOrder'>;
  readonly replica: Pick<Replica, 'leading' | 'readBarrier'>;
  readonly store: Pick<Store, 'notes' | 'position'>;
}

/** The source's log refuses the keys of the range, at the latest from the sequence on. */
export interface GivenAway {
  readonly seq: number;
  readonly range: KeyRange;
}

const again = (message: string): DbError => new DbError('TRYAGAIN', message);

/** The primary of a shard whose keys another one takes over: gives them away, and later forgets that it did. */
export class SplitSource {
  readonly #options: SplitSourceOptions;

  constructor(options: SplitSourceOptions) {
    this.#options = options;
  }

  /**
   * Gives keys away: from one entry of the log on they are refused here. Answers when that is certain, and the leases of all
   * primaries before this one are over, with a sequence at which it holds, and the range that the new shard gets. That it is in the log is not enough: an earlier
   * primary may read under its lease for a moment after that.
   * @throws DbError TRYAGAIN now it cannot be done, or is not certain: ask again. ERR it will never be done
   */
  async handOver(asked: HandOver): Promise<GivenAway> {
    await this.#prove();
    if (!(await this.#give(asked))) await this.#giveWhenFree(asked);
    const { handed, sequence } = this.#committed();
    if (handed?.to !== asked.to || handed.range.epoch !== asked.epoch)
      throw again('the hand-over is not committed yet');
    return { seq: sequence, range: handed.range };
  }

  /**
   * The new shard has opened: nobody will copy from here any more, so what was handed over may be swept away.
   * @throws DbError TRYAGAIN it is not certain: ask again
   */
  async release(asked: Pick<HandOver, 'to' | 'epoch'>): Promise<void> {
    await this.#prove();
    await this.#options.executor.inOrder(({ state }) => {
      const bytes = state.note(handedNote);
      const handed = bytes === undefined ? null : decodeHanded(bytes);
      if (handed?.to !== asked.to || handed.range.epoch !== asked.epoch) return;
      state.forgetNote(handedNote);
    });
    const { handed } = this.#committed();
    if (handed?.to === asked.to && handed.range.epoch === asked.epoch) throw again('the release is not committed yet');
  }

  /**
   * Sees to it that a hand-over of all keys is never granted, if it was not. Answers whether it was.
   * @throws DbError TRYAGAIN it is not certain: ask again
   */
  async bar(asked: Pick<HandOver, 'to' | 'epoch'> & { readonly since: number }): Promise<{ handed: boolean }> {
    await this.#prove();
    await this.#options.executor.inOrder((turn) => bar(turn, asked));
    const { handed, range } = this.#committed();
    const verdict = judgeBar({ range, handed }, asked);
    if (typeof verdict === 'object') throw again('it is not committed yet that nothing is handed over');
    return { handed: verdict === 'handed' };
  }

  /** Answers false when prepared transactions hold keys that are to be given away. */
  async #give(asked: HandOver): Promise<boolean> {
    let given = false;
    await this.#options.executor.inOrder((turn) => {
      given = giveAway(turn, asked);
    });
    return given;
  }

  /**
   * Where transactions follow each other there is no moment without one: new ones wait until those that are prepared are
   * over. They wait together with what waits for all keys of the shard.
   */
  async #giveWhenFree(asked: HandOver): Promise<void> {
    const { executor } = this.#options;
    const deadline = performance.now() + drainMs;
    const pause = Symbol('hand-over');
    await executor.inOrder(({ gate }) => void gate.pauses.add(pause));
    try {
      while (!(await this.#give(asked))) {
        if (performance.now() > deadline) {
          throw again('a transaction over several shards holds a key that is to be given away');
        }
        await sleep(lookMs);
      }
    } finally {
      await executor.inOrder(({ gate }) => void gate.pauses.delete(pause));
    }
  }

  async #prove(): Promise<void> {
    if (!this.#options.replica.leading) throw again('this member does not lead');
    await this.#options.replica.readBarrier();
  }

  #committed(): { handed: Handed | null; range: KeyRange | null; sequence: number } {
    const { notes, position } = this.#options.store;
    if (!this.#options.replica.leading) throw again('this member leads no more');
    return { ...givenBy((name) => notes.get(name)), sequence: position?.seq ?? 0 };
  }
}

const givenBy = (
  note: (name: string) => Buffer | undefined,
): { readonly handed: Handed | null; readonly range: KeyRange | null } => {
  const [range, handed] = [note(rangeNote), note(handedNote)];
  return {
    range: range === undefined ? null : decodeRange(range),
    handed: handed === undefined ? null : decodeHanded(handed),
  };
};

const bar = ({ state, gate }: InOrder, asked: Parameters<SplitSource['bar']>[0]): void => {
  const verdict = judgeBar(
    givenBy((name) => state.note(name)),
    asked,
  );
  if (typeof verdict === 'string') return;
  state.setNote(rangeNote, encodeRange(verdict.barred));
  gate.range = verdict.barred;
};

/** Answers false when prepared transactions are in the way. @throws DbError ERR it will never be done */
const giveAway = ({ state, gate, now, term }: InOrder, asked: HandOver): boolean => {
  const given = givenBy((name) => state.note(name));
  const verdict = judgeHandOver({ ...given, term, time: now }, asked);
  if (verdict.kind === 'done') return true;
  const intake = state.note(intakeNote);
  if (intake !== undefined) throw again(`the shard still takes over keys from ${decodeIntake(intake).from}`);
  if (verdict.kind === 'refused') throw new DbError('ERR', verdict.reason);
  if (transactionsHold(state.notes(), verdict.keeps)) return false;
  state.setNote(rangeNote, encodeRange(verdict.keeps));
  state.setNote(handedNote, encodeHanded(verdict.handed));
  state.setNote(straysNote, Buffer.alloc(0));
  gate.range = verdict.keeps;
  return true;
};

/** What is prepared will be carried out here: whether it touches something outside of what is kept. */
const transactionsHold = (notes: Iterable<readonly [string, Buffer]>, keeps: KeyRange): boolean => {
  for (const [name, bytes] of notes) {
    const note = transactionOf(name) === null ? null : decodeNote(bytes);
    if (note?.state !== 'prepared') continue;
    if (clearsKeys(note.effects) || note.keys.some((key) => !holds(keeps, key))) return true;
  }
  return false;
};
