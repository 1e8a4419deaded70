import type { TestProject } from 'vitest/node';
import { eventually, Quartet, type Endpoints } from './quartet.ts';
import { processesOf } from './processes.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    stateDir: string;
    endpoints: Endpoints;
  }
}

/** One Quartet of four nodes for all e2e files. Ends with `quartet down`, which must leave no process. */
const start = async (project: TestProject): Promise<() => Promise<void>> => {
  const quartet = await Quartet.up('127.0.0.9', '--nodes', '4');
  project.provide('stateDir', quartet.stateDir);
  project.provide('endpoints', quartet.endpoints);
  return async () => {
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
