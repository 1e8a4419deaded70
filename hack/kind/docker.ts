import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { cacheFolder } from './cache.ts';
import { KindError } from './kind-error.ts';
import { lastLine, run, succeeds } from './run.ts';

const stateFile = join(cacheFolder, 'docker.json');
const logFile = join(cacheFolder, 'dockerd.log');
/** The Docker that we started: a pid alone may be another program's by now, so its start time counts too. */
const stateSchema = z.object({ pid: z.number().int().positive(), started: z.string() });
type Started = z.infer<typeof stateSchema>;

const startTimeoutMs = 30_000;
const stopTimeoutMs = 30_000;

/** Whether a Docker answers. */
export const dockerAnswers = (): Promise<boolean> => succeeds('docker', ['info'], { timeoutMs: 10_000 });

/** When a process began, in clock ticks since boot (proc(5), field 22 of stat). Pure. */
export const startTimeOf = (stat: string): string => stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';

const startedAt = async (pid: number): Promise<string> =>
  startTimeOf(await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ''));

const oursThatRuns = async (): Promise<Started | undefined> => {
  const text = await readFile(stateFile, 'utf8').catch(() => '');
  if (text === '') return undefined;
  const state = stateSchema.parse(JSON.parse(text));
  return (await startedAt(state.pid)) === state.started ? state : undefined;
};

/** Linux capabilities(7): CAP_SYS_RESOURCE is number 24. Pure. */
export const mayRaiseLimits = (status: string): boolean => {
  const bounding = /^CapBnd:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0';
  return ((BigInt(`0x${bounding}`) >> 24n) & 1n) === 1n;
};

/**
 * Arguments for a dockerd where the capability to raise limits is missing: its containers get a runc that does not ask for
 * it. Elsewhere none.
 */
const runtimeArguments = async (): Promise<string[]> => {
  if (mayRaiseLimits(await readFile('/proc/self/status', 'utf8'))) return [];
  const wrapper = join(cacheFolder, 'runc');
  await writeFile(wrapper, await readFile(join(import.meta.dirname, 'node', 'files', 'usr', 'local', 'sbin', 'runc')));
  await chmod(wrapper, 0o755);
  return ['--add-runtime', `quartet=${wrapper}`, '--default-runtime', 'quartet'];
};

const install = async (tell: (text: string) => void): Promise<void> => {
  const isDebian = await succeeds('apt-get', ['--version']);
  if (process.getuid?.() !== 0 || !isDebian) {
    const how = 'start it or install it (https://docs.docker.com/engine/install), then try again';
    throw new KindError(
      'docker-missing',
      `no Docker answers, and only root on Debian or Ubuntu can install it: ${how}`,
    );
  }
  tell('apt-get install docker.io');
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const packages = ['docker.io', 'containerd', 'runc', 'iptables'];
  await run('apt-get', ['update', '-q'], { env, timeoutMs: 300_000 });
  await run('apt-get', ['install', '-qy', '--no-install-recommends', ...packages], { env, timeoutMs: 600_000 });
};

const start = async (tell: (text: string) => void): Promise<void> => {
  tell('starting dockerd');
  const log = openSync(logFile, 'w');
  const child = spawn('dockerd', await runtimeArguments(), { detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  child.unref();
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  });
  const deadline = performance.now() + startTimeoutMs;
  while (!(await dockerAnswers())) {
    const over = await Promise.race([ended.then(() => true), sleep(200, false)]);
    if (over || performance.now() > deadline) {
      const said = lastLine(await readFile(logFile, 'utf8').catch(() => ''));
      throw new KindError('docker-missing', `dockerd does not start: ${said} (all of it in ${logFile})`);
    }
  }
  const { pid = 0 } = child;
  await writeFile(stateFile, JSON.stringify({ pid, started: await startedAt(pid) } satisfies Started));
};

/**
 * A Docker that answers: the one that is there, else one that is installed (Debian or Ubuntu, as root) and started.
 * @returns what was done, for people
 * @throws KindError `docker-missing`
 */
export const ensureDocker = async (tell: (text: string) => void): Promise<string> => {
  await mkdir(cacheFolder, { recursive: true });
  if (await dockerAnswers()) return 'answers';
  const there = (await succeeds('dockerd', ['--version'])) && (await succeeds('docker', ['--version']));
  if (!there) await install(tell);
  await start(tell);
  return there ? 'started' : 'installed and started';
};

/** Stops the Docker that we started, and no other. @returns whether there was one */
export const stopOurDocker = async (): Promise<boolean> => {
  const ours = await oursThatRuns();
  if (ours === undefined) return false;
  process.kill(ours.pid, 'SIGTERM');
  const deadline = performance.now() + stopTimeoutMs;
  while ((await startedAt(ours.pid)) === ours.started) {
    if (performance.now() > deadline) {
      throw new KindError('not-ready', `dockerd (process ${ours.pid}) does not end: see ${logFile}`);
    }
    await sleep(100);
  }
  await rm(stateFile, { force: true });
  return true;
};

/** The id of an image; undefined when it is not there. */
export const imageId = async (name: string): Promise<string | undefined> =>
  run('docker', ['image', 'inspect', '--format', '{{.Id}}', name]).then(
    (id) => id.trim(),
    () => undefined,
  );

/** What to build. */
export interface ImageBuild {
  readonly tag: string;
  readonly context: string;
  readonly file?: string;
  readonly target?: string;
  readonly args?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/** `docker build`. Its steps use the network of this computer: a bridge may have no way to the package registries. @throws KindError `build-failed` */
export const buildImage = async (build: ImageBuild): Promise<void> => {
  const { tag, context, file, target, args = {}, timeoutMs = 600_000 } = build;
  const options = [
    ...(file === undefined ? [] : ['--file', file]),
    ...(target === undefined ? [] : ['--target', target]),
    ...Object.entries(args).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]),
  ];
  try {
    await run('docker', ['build', '--network', 'host', ...options, '--tag', tag, context], { timeoutMs });
  } catch (error) {
    throw new KindError('build-failed', `the image ${tag} cannot be built: ${(error as Error).message}`, error);
  }
};
