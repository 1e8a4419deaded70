import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { LocalError } from '../errors.ts';
import { programs, repository } from '../kubelet/program.ts';
import { portBecomesFree } from '../processes/ports.ts';
import { until } from '../processes/until.ts';
import { askSupervisor, type Overview } from './control.ts';
import { readInstance, socketPath, type InstanceRequest } from './state.ts';

/** Ports of the samples' load balancers: checked before anything starts. */
export const publicPorts = [8080, 9200, 8000, 6379] as const;

export interface LaunchOptions extends InstanceRequest {
  readonly stateDir: string;
  /** Hears what is being started, each time that it changes. */
  readonly onStep: (step: string) => void;
}

const startTimeoutMs = 180_000;

/** The overview of the supervisor that owns a state directory; undefined when there is none. */
export const findSupervisor = async (stateDir: string): Promise<Overview | undefined> => {
  try {
    return await askSupervisor(socketPath(stateDir), 'overview');
  } catch (error) {
    if (error instanceof LocalError && error.code === 'not-running') return undefined;
    throw error;
  }
};

const checkPorts = async (host: string): Promise<void> => {
  const free = await Promise.all(publicPorts.map((port) => portBecomesFree(port, host)));
  const busy = publicPorts.filter((_, i) => free[i] === false);
  if (busy.length === 0) return;
  const ports = busy.length === 1 ? `port ${busy[0]} is` : `ports ${busy.join(', ')} are`;
  throw new LocalError('port-busy', `${host} ${ports} used by another program: stop it, or say --address 127.0.0.2`);
};

const flagsOf = (options: LaunchOptions): string[] => {
  const flags = ['--state', options.stateDir];
  if (options.nodes !== undefined) flags.push('--nodes', String(options.nodes));
  if (options.natsServers !== undefined) flags.push('--nats', String(options.natsServers));
  if (options.publicHost !== undefined) flags.push('--address', options.publicHost);
  if (options.isDefault) flags.push('--default');
  return flags;
};

/** The file that `main.ts` leaves when it could not start; named here too because importing it would run it. */
const failureOf = (stateDir: string): string => {
  try {
    return readFileSync(join(stateDir, 'failure.txt'), 'utf8');
  } catch {
    return `the supervisor ended: see ${join(stateDir, 'logs', 'supervisor.log')}`;
  }
};

/**
 * Starts a supervisor, detached from this process, and waits until its control plane, NATS and nodes are up.
 * @throws LocalError for anything that prevents it; then nothing is left running
 */
export const launchSupervisor = async (options: LaunchOptions): Promise<Overview> => {
  const { stateDir } = options;
  const old = await readInstance(stateDir);
  const host = options.publicHost ?? old?.publicHost ?? (options.isDefault ? '127.0.0.1' : undefined);
  if (host !== undefined) await checkPorts(host);
  mkdirSync(join(stateDir, 'logs'), { recursive: true, mode: 0o700 });
  rmSync(join(stateDir, 'failure.txt'), { force: true });
  const log = openSync(join(stateDir, 'logs', 'supervisor.log'), 'a');
  const child = spawn(join(programs, 'node'), [join(import.meta.dirname, 'main.ts'), ...flagsOf(options)], {
    cwd: repository,
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  let ended = child.pid === undefined;
  child.on('error', () => (ended = true));
  child.on('exit', () => (ended = true));
  child.unref();
  let step = '';
  const giveUp = (): void => {
    if (ended) throw new LocalError('start-failed', failureOf(stateDir));
  };
  return until({ what: 'the supervisor', timeoutMs: startTimeoutMs, everyMs: 100, giveUp }, async () => {
    const overview = await findSupervisor(stateDir);
    if (overview !== undefined && overview.step !== step) options.onStep((step = overview.step));
    return overview?.state === 'running' ? overview : undefined;
  });
};
