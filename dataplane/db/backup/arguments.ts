import { parseArgs } from 'node:util';
import { BackupError, reasonOf } from './backup-error.ts';
import { momentOf } from './restore/choose.ts';

/** `backup DATABASE --to PLACE …` */
export interface BackupArguments {
  readonly command: 'backup';
  readonly namespace: string;
  readonly database: string;
  /** See `openRepository`. */
  readonly place: string;
  readonly endpoint: string | undefined;
  readonly keep: number | null;
  /** See `BackUpOptions`. */
  readonly renewAfterMs: number | null;
  /** What is not done within this is given up; null: however long it takes. */
  readonly deadlineMs: number | null;
}

/** `restore --from PLACE …` */
export interface RestoreArguments {
  readonly command: 'restore';
  /** Of the new database. */
  readonly namespace: string;
  readonly place: string;
  readonly endpoint: string | undefined;
  /** That was backed up; null: the only one that there is. */
  readonly database: string | null;
  /** Milliseconds since 1970; null: the end of the backup. */
  readonly at: number | null;
  /** The new database; null: only check the backup. */
  readonly to: string | null;
  /** Null: the place of the system for what is temporary. */
  readonly workDir: string | null;
}

const usage = [
  'quartet backup DATABASE --to DIR|s3://bucket/prefix [--endpoint URL] [--keep N] [--renew-after 23h]',
  '               [--deadline 1h] [--namespace N]',
  'quartet restore --from DIR|s3://bucket/prefix [--endpoint URL] [--database NAME] [--at 2026-11-24T12:00:05Z]',
  '                (--to NEWDATABASE [--namespace N] [--work DIR] | --check)',
].join('\n         ');

const invalid = (why: string, cause?: unknown): BackupError =>
  new BackupError('invalid', `${why}\n  usage: ${usage}`, { cause });

const options = {
  to: { type: 'string' },
  from: { type: 'string' },
  endpoint: { type: 'string' },
  keep: { type: 'string' },
  'renew-after': { type: 'string' },
  deadline: { type: 'string' },
  namespace: { type: 'string', default: 'default' },
  database: { type: 'string' },
  at: { type: 'string' },
  work: { type: 'string' },
  check: { type: 'boolean', default: false },
} as const;

const parse = (args: readonly string[]) => {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw invalid(reasonOf(error).split('. ')[0] ?? '', error);
  }
};

type Values = ReturnType<typeof parse>['values'];

const only = (values: Values, allowed: readonly (keyof Values)[]): void => {
  for (const name of Object.keys(values) as (keyof Values)[]) {
    if (values[name] === false || values[name] === undefined || name === 'namespace' || allowed.includes(name))
      continue;
    throw invalid(`--${name} has no meaning here`);
  }
};

/** A name of a namespace or a database: it becomes a part of paths and subjects. */
const label = (what: 'namespace' | 'database', text: string): string => {
  const form = what === 'database' ? /^[a-z0-9]([-_a-z0-9]{0,61}[a-z0-9])?$/ : /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
  if (form.test(text)) return text;
  throw invalid(`${JSON.stringify(text)} is not the name of a ${what}`);
};

const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };

const timeOf = (name: string, text: string | undefined): number | null => {
  if (text === undefined) return null;
  const [, count, unit] = /^([1-9]\d{0,6})([smh])$/.exec(text) ?? [];
  if (count !== undefined && unit !== undefined) return Number(count) * (unitMs[unit] ?? 0);
  throw invalid(`--${name} ${text}: must be a time such as 90s, 10m or 24h`);
};

const keepOf = (text: string | undefined): number | null => {
  if (text === undefined) return null;
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw invalid(`--keep ${text}: must be a whole number from 1 on`);
};

const backupOf = (words: readonly string[], values: Values): BackupArguments => {
  only(values, ['to', 'endpoint', 'keep', 'renew-after', 'deadline']);
  const [database, ...more] = words;
  if (database === undefined || more.length > 0) throw invalid('say which database, and only one');
  if (values.to === undefined) throw invalid('say where to, with --to');
  const { namespace, to: place, endpoint, keep } = values;
  const names = { namespace: label('namespace', namespace), database: label('database', database) };
  const times = {
    renewAfterMs: timeOf('renew-after', values['renew-after']),
    deadlineMs: timeOf('deadline', values.deadline),
  };
  return { command: 'backup', ...names, place, endpoint, keep: keepOf(keep), ...times };
};

const restoreOf = (words: readonly string[], values: Values): RestoreArguments => {
  only(values, ['from', 'endpoint', 'database', 'at', 'to', 'check', 'work']);
  const { from: place, to, check, endpoint, at, work } = values;
  if (words.length > 0) throw invalid(`${words[0]} has no meaning here: the new database is named by --to`);
  if (place === undefined) throw invalid('say where from, with --from');
  if ((to === undefined) !== check) throw invalid('say either --to NEWDATABASE or --check');
  return {
    command: 'restore',
    namespace: label('namespace', values.namespace),
    place,
    endpoint,
    database: values.database ?? null,
    at: at === undefined ? null : momentOf(at),
    to: to === undefined ? null : label('database', to),
    workDir: work ?? null,
  };
};

/** @throws BackupError invalid, with the usage */
export const readArguments = (args: readonly string[]): BackupArguments | RestoreArguments => {
  const { values, positionals } = parse(args);
  const [command, ...words] = positionals;
  if (command === 'backup') return backupOf(words, values);
  if (command === 'restore') return restoreOf(words, values);
  throw invalid(`no command ${command ?? ''}`);
};
