import { setTimeout as sleep } from 'node:timers/promises';
import { LocalError } from '../../local/errors.ts';
import { askSupervisor } from '../../local/supervisor/control.ts';
import { findSupervisor } from '../../local/supervisor/launch.ts';
import { socketPath } from '../../local/supervisor/state.ts';
import type { CommandLine } from '../arguments.ts';
import { Progress } from '../progress.ts';

const stopTimeoutMs = 40_000;

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** Stops everything and waits until no process is left. Not running is fine. @throws LocalError */
export const down = async ({ stateDir }: CommandLine): Promise<number> => {
  const overview = await findSupervisor(stateDir);
  if (overview === undefined) {
    console.log('not running');
    return 0;
  }
  const progress = new Progress();
  progress.step('pods, services, NATS, control plane');
  await askSupervisor(socketPath(stateDir), 'stop');
  const deadline = performance.now() + stopTimeoutMs;
  while (isAlive(overview.pid)) {
    if (performance.now() > deadline) {
      progress.failed();
      throw new LocalError('start-failed', `process ${overview.pid} does not end: kill -9 it, then nothing is left`);
    }
    await sleep(50);
  }
  progress.done();
  console.log(`down; the state stays in ${stateDir}`);
  return 0;
};
