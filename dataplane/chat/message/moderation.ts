import {
  asteriskCensorStrategy,
  englishDataset,
  englishRecommendedTransformers,
  RegExpMatcher,
  TextCensor,
} from 'obscenity';
import type { ChatRoomEntry } from '../../../contract/directory.ts';

/** What a room does about profanity. */
export type ModerationLevel = ChatRoomEntry['moderation'];

export interface Verdict {
  readonly rejected: boolean;
  readonly flagged: boolean;
  /** The content, masked where the level says so. */
  readonly content: string;
}

const matcher = new RegExpMatcher({ ...englishDataset.build(), ...englishRecommendedTransformers });
const censor = new TextCensor().setStrategy(asteriskCensorStrategy());

/**
 * Judges a text: `off` lets all pass, `flag` marks it, `mask` replaces the words by asterisks and marks it, `reject`
 * refuses it. A word list is a heuristic: it misses things and finds some that are none.
 */
export const moderate = (content: string, level: ModerationLevel): Verdict => {
  if (level === 'off') return { rejected: false, flagged: false, content };
  if (level !== 'mask') {
    const found = matcher.hasMatch(content);
    return { rejected: found && level === 'reject', flagged: found, content };
  }
  const matches = matcher.getAllMatches(content, true);
  if (matches.length === 0) return { rejected: false, flagged: false, content };
  return { rejected: false, flagged: true, content: censor.applyTo(content, matches) };
};
