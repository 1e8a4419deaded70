import type { DbShardSpec } from './db-shard.ts';

/** Longest name of a resource. */
const maxLength = 40;

/** The key as a part of a name, when it reads as one. */
const wordOf = (at: string | undefined): string | null =>
  at !== undefined && /^[a-z0-9]([-a-z0-9]{0,14}[a-z0-9])?$/.test(at) ? at : null;

/** A free name for the shard that takes over keys of another one: `app-a` split at `g` gives `app-a-g`, at its middle `app-a-upper`. Pure. */
export const splitName = (shard: string, at: string | undefined, taken: ReadonlySet<string>): string => {
  const word = wordOf(at) ?? 'upper';
  for (let number = 1; ; number++) {
    const end = number === 1 ? `-${word}` : `-${word}-${number}`;
    const name = `${shard.slice(0, maxLength - end.length).replace(/-+$/, '')}${end}`;
    if (!taken.has(name)) return name;
  }
};

/** The spec of a shard that takes over the keys of another one from `at` on, or its upper half: all else is as it is there. Pure. */
export const splitSpec = (
  source: { readonly name: string; readonly spec: DbShardSpec },
  at: string | undefined,
): Omit<DbShardSpec, 'range'> => {
  const { range: _range, splitFrom: _splitFrom, mergeInto: _mergeInto, ...spec } = source.spec;
  return { ...spec, splitFrom: { shard: source.name, ...(at !== undefined && { at }) } };
};
