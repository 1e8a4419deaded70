import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import type { BackupReport } from '../../../contract/backup-report.ts';
import { watchDirectory } from '../../fabric/directory.ts';
import { watchHeartbeats } from '../../fabric/heartbeats.ts';
import type { Pod } from '../../fabric/pod.ts';
import { parsePodEnv, startPod } from '../../fabric/start-pod.ts';
import { NatsTransport } from '../gateway/nats-transport.ts';
import { Router } from '../gateway/router.ts';
import type { BackupArguments, RestoreArguments } from './arguments.ts';
import { backUp } from './backup.ts';
import { BackupError } from './backup-error.ts';
import { backupFolder, momentsOf } from './manifest.ts';
import { openRepository } from './repository/open.ts';
import { checkBackup } from './restore/check.ts';
import { chooseBackup } from './restore/choose.ts';
import { restore } from './restore/restore.ts';
import { Source, type Sight } from './source.ts';

/** What a command gets of its process. */
export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  /** A line for people. */
  readonly say: (text: string) => void;
}

/** NATS and the directory have to be there so soon, milliseconds. */
const connectMs = 15_000;

const podOf = (namespace: string, env: NodeJS.ProcessEnv): Promise<Pod> => {
  if ((env['QUARTET_NATS_URL'] ?? '') === '') throw new BackupError('invalid', 'QUARTET_NATS_URL is not set');
  return startPod(
    'db-gateway',
    parsePodEnv({
      QUARTET_POD: `backup-${randomBytes(4).toString('hex')}`,
      QUARTET_POD_IP: '127.0.0.1',
      QUARTET_NODE: 'none',
      QUARTET_ADMIN_PORT: '0',
      QUARTET_LOG_LEVEL: 'fatal',
      ...env,
      QUARTET_NAMESPACE: namespace,
    }),
  );
};

const sightOf = async (namespace: string, env: NodeJS.ProcessEnv): Promise<Sight> => {
  const pod = await podOf(namespace, env);
  return { pod, beats: watchHeartbeats(pod, 'db'), directory: await watchDirectory(pod, 'db') };
};

const withDeadline = async <T>(promise: Promise<T>, { env, signal }: Surroundings): Promise<T> => {
  const late = Promise.withResolvers<never>();
  const why = `NATS at ${env['QUARTET_NATS_URL'] ?? ''} does not answer, or no operator has published what there is`;
  const fail = (): void => late.reject(new BackupError('unreachable', why));
  const timer = setTimeout(fail, connectMs);
  signal.addEventListener('abort', fail, { once: true });
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', fail);
  }
};

/** Does something with a connection, which ends with it. */
const connected = async <T>(
  namespace: string,
  surroundings: Surroundings,
  act: (sight: Sight) => Promise<T>,
): Promise<T> => {
  const sight = await withDeadline(sightOf(namespace, surroundings.env), surroundings);
  try {
    return await act(sight);
  } finally {
    await sight.pod.stop();
  }
};

const show = (ms: number): string => new Date(ms).toISOString();
const secondsSince = (began: number): string => ((performance.now() - began) / 1000).toFixed(1);

/** `backup`. @throws BackupError */
export const runBackup = async (asked: BackupArguments, surroundings: Surroundings): Promise<BackupReport> => {
  const { namespace, database, keep, renewAfterMs } = asked;
  const { signal, say, env } = surroundings;
  const repository = openRepository(asked.place, asked.endpoint, env);
  const began = performance.now();
  const written = await connected(namespace, surroundings, (sight) =>
    backUp({ source: new Source(sight), database, repository, signal, tell: say, keep, renewAfterMs }),
  );
  const { manifest, files } = written.backup;
  for (const folder of written.removed) say(`removed ${folder}: there are ${keep} newer ones`);
  for (const folder of written.left) say(`removed ${folder}: it was never finished`);
  const { from, to } = momentsOf(manifest);
  say(`${written.continued ? 'went on with' : 'made'} ${files.name}`);
  say(
    `${written.bytes} bytes in ${secondsSince(began)} s; it can be restored at any moment from ${show(from)} to ${show(to)}`,
  );
  return { ok: true, backup: backupFolder(manifest), bytes: written.bytes, from: written.from, until: to };
};

const wantedOf = async (asked: RestoreArguments, { env, say }: Surroundings) => {
  const backup = await chooseBackup(openRepository(asked.place, asked.endpoint, env), asked);
  const { from, to } = momentsOf(backup.manifest);
  say(`${backup.files.name}, from ${show(from)} to ${show(to)}`);
  return backup;
};

/** `restore --check`. @throws BackupError */
export const runCheck = async (asked: RestoreArguments, surroundings: Surroundings): Promise<void> => {
  const began = performance.now();
  const backup = await wantedOf(asked, surroundings);
  const { files, bytes, keys, entries } = await checkBackup(backup, asked.at, surroundings.signal);
  const took = secondsSince(began);
  surroundings.say(
    `whole: ${files} files, ${bytes} bytes, ${keys} keys and ${entries} entries of logs, read in ${took} s`,
  );
};

/** `restore --to`. @throws BackupError */
export const runRestore = async (
  asked: RestoreArguments & { readonly to: string },
  surroundings: Surroundings,
): Promise<void> => {
  const { signal, say } = surroundings;
  const began = performance.now();
  const backup = await wantedOf(asked, surroundings);
  const { at, to: database, workDir } = asked;
  const restored = await connected(asked.namespace, surroundings, async (sight) => {
    const router = new Router(sight.directory, sight.beats, new NatsTransport(sight.pod, null));
    try {
      const source = new Source(sight);
      return await restore({ backup, at, workDir: workDir ?? tmpdir(), signal, tell: say, source, router, database });
    } finally {
      router.stop();
    }
  });
  const { keys, bytes } = restored;
  say(`${database} holds ${keys} keys, compared by SHA-256; ${bytes} bytes written, all in ${secondsSince(began)} s`);
};
