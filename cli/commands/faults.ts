import { LocalError } from '../../local/errors.ts';
import { askSupervisor } from '../../local/supervisor/control.ts';
import { socketPath } from '../../local/supervisor/state.ts';
import type { CommandLine } from '../arguments.ts';

const usage = (text: string): never => {
  throw new LocalError('invalid', `say ./quartet ${text}`);
};

/** `kill node X` and `kill pod X`. @throws LocalError */
export const kill = async ({ words, stateDir }: CommandLine): Promise<number> => {
  const [what, name] = words;
  if (name === undefined) return usage('kill node NAME, or kill pod NAME');
  if (what === 'node') {
    await askSupervisor(socketPath(stateDir), 'killNode', name);
    console.log(`${name} is dead: its processes are gone and its lease is not renewed`);
    return 0;
  }
  if (what !== 'pod') return usage('kill node NAME, or kill pod NAME');
  const { pod } = await askSupervisor(socketPath(stateDir), 'killPod', name);
  console.log(`${pod} got SIGKILL; its containers are started again`);
  return 0;
};

/** `revive node X`. @throws LocalError */
export const revive = async ({ words, stateDir }: CommandLine): Promise<number> => {
  const [what, name] = words;
  if (what !== 'node' || name === undefined) return usage('revive node NAME');
  await askSupervisor(socketPath(stateDir), 'reviveNode', name);
  console.log(`${name} is back`);
  return 0;
};
