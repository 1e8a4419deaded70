import type { Range } from '../store/reading.ts';
import { valueType } from '../store/row.ts';
import { Collection } from './collection.ts';
import { hashedName } from './hashed-name.ts';
import { encodeScore, decodeScore } from './score.ts';
import { member as mark } from './set-members.ts';
import type { View } from './view.ts';

/** Elements that tell a member's score: `m` and the hashed name. */
export const memberPrefix = 'm';
/** Elements in order of score, then of member: `s`, the score, the member. */
const scorePrefix = 's';
const afterScores = 't';

/** A member with its score. */
export interface Scored {
  readonly member: string;
  readonly score: number;
}

/** A part of the order of scores and members. */
export interface ScoreRange {
  /** As `encodeScore` or `afterScore` write it, and a member behind it if wanted. */
  readonly from: string;
  /** Undefined: to the end. */
  readonly to?: string | undefined;
}

const everything: ScoreRange = { from: '' };

/** A sorted set, for one command. Each member is two elements: one finds its score, one lies in order. */
export class SortedSet {
  readonly collection: Collection;

  /** @throws DbError WRONGTYPE */
  constructor(view: View, key: string) {
    this.collection = new Collection(view, key, valueType.zset);
  }

  get size(): number {
    return this.collection.count;
  }

  score(member: string): number | undefined {
    return this.collection.get(memberPrefix + hashedName(member))?.readDoubleBE(0);
  }

  /** Sets the score of a member; `old` is the one that it has. */
  set(member: string, score: number, old: number | undefined): void {
    if (old !== undefined) this.collection.remove(placeOf(member, old));
    else this.collection.count++;
    const bytes = Buffer.allocUnsafe(8);
    bytes.writeDoubleBE(score);
    this.collection.set(memberPrefix + hashedName(member), bytes);
    this.collection.set(placeOf(member, score), mark);
  }

  remove({ member, score }: Scored): void {
    this.collection.remove(memberPrefix + hashedName(member));
    this.collection.remove(placeOf(member, score));
    this.collection.count--;
  }

  /** Members of a range in order of score, or backwards. */
  *range(range: ScoreRange = everything, reverse = false): Generator<Scored> {
    for (const { name } of this.collection.range({ ...elementRange(range), reverse })) {
      yield { member: name.slice(9), score: decodeScore(name.slice(1, 9)) };
    }
  }

  count(range: ScoreRange): number {
    return this.collection.countRange(elementRange(range));
  }

  /** Number of members before one. */
  rank({ member, score }: Scored): number {
    return this.count({ from: '', to: encodeScore(score) + member });
  }

  /** Members from index `from` to before index `to`; `reverse` counts from the end. Walks from the nearer end. */
  byIndex(from: number, to: number, reverse: boolean): Scored[] {
    const found: Scored[] = [];
    const fromEnd = from > this.size - to;
    const [skip, end] = fromEnd ? [this.size - to, this.size - from] : [from, to];
    let at = 0;
    for (const scored of this.range(everything, reverse !== fromEnd)) {
      if (at >= end) break;
      if (at++ >= skip) found.push(scored);
    }
    return fromEnd ? found.reverse() : found;
  }

  /** To be called after changes. */
  save(): void {
    this.collection.save();
  }
}

const placeOf = (member: string, score: number): string => scorePrefix + encodeScore(score) + member;

const elementRange = ({ from, to }: ScoreRange): Range => ({
  from: scorePrefix + from,
  to: to === undefined ? afterScores : scorePrefix + to,
});
