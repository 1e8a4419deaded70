import { z } from 'zod';
import { kubernetesName } from '../../../contract/names.ts';
import { DbError } from '../db-error.ts';
import { keyOfText, textOfKey } from '../store/key-range.ts';
import type { MergePlan } from './merge-begin.ts';
import type { GivenAway } from './source.ts';

/**
 * What the primary of a shard that takes keys over asks the one of the shard that has them, on `memberSplitSubject`: JSON,
 * request and reply. Keys are text (UTF-8) here and nowhere else: they come from the directory.
 * - plan, plan-merge: where a split, or a merge, could begin. Nothing changes at the source.
 * - keep: the asker reads the source's log; what follows `after` may not be trimmed for a minute
 * - hand-over, release, bar: see `SplitSource`
 */
const key = z.string().max(512).transform(keyOfText);
const count = z.number().int().nonnegative();
export const splitRequest = z.discriminatedUnion('type', [
  /** `at`: first key of the new shard; null: the source chooses one near its middle. */
  z.object({ type: z.literal('plan'), at: key.nullable() }),
  z.object({ type: z.literal('keep'), to: kubernetesName, after: count }),
  z.object({ type: z.literal('plan-merge') }),
  z.object({ type: z.literal('hand-over'), at: key, to: kubernetesName, epoch: count, since: count.optional() }),
  z.object({ type: z.literal('release'), to: kubernetesName, epoch: count }),
  z.object({ type: z.literal('bar'), to: kubernetesName, epoch: count, since: count }),
]);
export type SplitRequest = z.infer<typeof splitRequest>;

/** Where keys are to change hands, if nothing else happens before. */
export interface Plan {
  readonly at: string;
  /** Of the new shard. */
  readonly epoch: number;
}

const range = z.object({ start: key, end: key, epoch: count, terms: count, time: z.number().nonnegative() });
const answers = {
  plan: z.object({ ok: z.literal(true), at: key, epoch: count }),
  'plan-merge': z.object({ ok: z.literal(true), at: key, epoch: count }),
  'hand-over': z.object({ ok: z.literal(true), seq: count, range }),
  keep: z.object({ ok: z.literal(true) }),
  release: z.object({ ok: z.literal(true) }),
  bar: z.object({ ok: z.literal(true), handed: z.boolean() }),
} as const;
const failure = z.object({ ok: z.literal(false), code: z.enum(['TRYAGAIN', 'ERR']), message: z.string() });

/** What each request is answered when it was done. */
export interface SplitAnswers {
  plan: Plan;
  'plan-merge': MergePlan;
  keep: object;
  'hand-over': GivenAway;
  release: object;
  bar: { readonly handed: boolean };
}

const texts = (of: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(of).map(([name, value]) => [
      name,
      names.includes(name) && typeof value === 'string' ? textOfKey(value) : value,
    ]),
  );

export const encodeSplitRequest = (request: SplitRequest): string => JSON.stringify(texts({ ...request }, ['at']));

/** @throws DbError ERR when it is none */
export const decodeSplitRequest = (text: string): SplitRequest => {
  try {
    return splitRequest.parse(JSON.parse(text));
  } catch (error) {
    throw new DbError('ERR', 'the request of a split is malformed: do both shards run the same version?', {
      cause: error,
    });
  }
};

export const encodeSplitAnswer = (answer: SplitAnswers[keyof SplitAnswers]): string => {
  const shown = texts({ ok: true, ...answer }, ['at']);
  return JSON.stringify('range' in answer ? { ...shown, range: texts({ ...answer.range }, ['start', 'end']) } : shown);
};

/** Of anything that was thrown: what is not an ERR may be asked again. */
export const encodeSplitFailure = (error: unknown): string => {
  const code = error instanceof DbError && error.code === 'ERR' ? 'ERR' : 'TRYAGAIN';
  return JSON.stringify({ ok: false, code, message: error instanceof Error ? error.message : String(error) });
};

/** @throws DbError what the other side refused, or ERR when it answered something else */
export const decodeSplitAnswer = <T extends SplitRequest['type']>(type: T, text: string): SplitAnswers[T] => {
  const parsed = z.union([failure, answers[type]]).safeParse(parseJson(text));
  if (!parsed.success) throw new DbError('ERR', 'the source answered something else: do both run the same version?');
  if (!parsed.data.ok) throw new DbError(parsed.data.code, parsed.data.message);
  return parsed.data as unknown as SplitAnswers[T];
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};
