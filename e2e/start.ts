import type { TestProject } from 'vitest/node';
import { eventually, Quartet } from './quartet.ts';
import type { Endpoints } from './resources.ts';
import { processesOf } from './processes.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    stateDir: string;
    endpoints: Endpoints;
  }
}

/**
 * One Quartet of four nodes for all e2e files. Ends with `quartet down`, which must leave no process.
 * With QUARTET_E2E_STATE (and QUARTET_E2E_ADDRESS) the tests use one that is up already, and leave it so.
 */
const start = async (project: TestProject): Promise<() => Promise<void>> => {
  const running = process.env['QUARTET_E2E_STATE'];
  const quartet = running
    ? Quartet.at(running, process.env['QUARTET_E2E_ADDRESS'] ?? '127.0.0.1')
    : await Quartet.up('127.0.0.9', '--nodes', '4');
  project.provide('stateDir', quartet.stateDir);
  project.provide('endpoints', quartet.endpoints);
  return async () => {
    if (running) return;
    await quartet.quartet('down');
    await eventually(async () => {
      const left = processesOf(quartet.stateDir);
      if (left.length > 0)
        throw new Error(`left after down: ${left.map((it) => `${it.pid} ${it.command}`).join('\n')}`);
    }, 2_000);
    await quartet.forget();
  };
};

export default start;
