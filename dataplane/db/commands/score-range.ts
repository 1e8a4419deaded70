import { DbError } from '../db-error.ts';
import type { Frame } from '../resp/frame.ts';
import { parseDouble } from './decimal.ts';
import { afterScore, encodeScore } from './score.ts';
import type { ScoreRange, SortedSet } from './sorted-set.ts';

/** A bound of scores: `1.5`, `(1.5` without it, `-inf`, `+inf`. @throws DbError */
const scoreBound = (frame: Frame, i: number): { score: number; open: boolean } => {
  const text = frame.key(i);
  const open = text.startsWith('(');
  const score = parseDouble(open ? text.slice(1) : text);
  if (score === null) throw new DbError('ERR', 'min or max is not a float');
  return { score, open };
};

/** The range between the arguments `min` and `max`. @throws DbError */
export const scoreRange = (frame: Frame, min: number, max: number): ScoreRange => {
  const [low, high] = [scoreBound(frame, min), scoreBound(frame, max)];
  return {
    from: low.open ? afterScore(low.score) : encodeScore(low.score),
    to: high.open ? encodeScore(high.score) : afterScore(high.score),
  };
};

/** A bound of members: `-`, `+`, `[member` or `(member`. @throws DbError */
const lexBound = (frame: Frame, i: number): { kind: string; member: string } => {
  const text = frame.key(i);
  const kind = text.charAt(0);
  const sign = kind === '-' || kind === '+';
  if (sign ? text.length > 1 : kind !== '[' && kind !== '(') {
    throw new DbError('ERR', 'min or max not valid string range item');
  }
  return { kind, member: text.slice(1) };
};

/**
 * The range of members between two arguments, in a set whose members all have one score, as BYLEX requires; in another
 * set it is that of the lowest score.
 */
export const lexRange = (frame: Frame, min: number, max: number): ((set: SortedSet) => ScoreRange) => {
  const [low, high] = [lexBound(frame, min), lexBound(frame, max)];
  return (set) => {
    const [first] = set.byIndex(0, Math.min(1, set.size), false);
    const score = encodeScore(first?.score ?? 0);
    if (low.kind === '+' || high.kind === '-') return { from: score, to: score };
    return {
      from: score + low.member + (low.kind === '(' ? '\0' : ''),
      to: high.kind === '+' ? undefined : score + high.member + (high.kind === '[' ? '\0' : ''),
    };
  };
};
