import { spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { LocalError } from '../../local/errors.ts';
import { askSupervisor } from '../../local/supervisor/control.ts';
import { socketPath } from '../../local/supervisor/state.ts';
import type { CommandLine } from '../arguments.ts';

/** `logs POD`, or `logs NAME` of a program such as kube-apiserver or supervisor; `-f` follows. @throws LocalError */
export const logs = async ({ words, stateDir, follow, tail }: CommandLine): Promise<number> => {
  const [name] = words;
  if (name === undefined) throw new LocalError('invalid', 'say ./quartet logs POD, or logs supervisor');
  const own: Readonly<Record<string, string>> = {
    supervisor: join(stateDir, 'logs', 'supervisor.log'),
    'service-proxy': join(stateDir, 'logs', 'service-proxy.log'),
    ...Object.fromEntries(
      ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'].map((program) => [
        program,
        join(stateDir, 'control-plane', 'logs', `${program}.log`),
      ]),
    ),
    ...Object.fromEntries([0, 1, 2].map((i) => [`nats-${i}`, join(stateDir, 'nats', `nats-${i}`, 'nats.log')])),
  };
  const files = own[name] === undefined ? await podFiles(stateDir, name) : [own[name]];
  const lines = tail === undefined ? (follow ? '20' : '+1') : String(tail);
  const child = spawn('tail', ['-q', '-n', lines, ...(follow ? ['-F'] : []), ...files], { stdio: 'inherit' });
  return new Promise((resolve) => child.on('close', (code) => resolve(code ?? 0)));
};

const podFiles = async (stateDir: string, pod: string): Promise<string[]> => {
  const { directory } = await askSupervisor(socketPath(stateDir), 'logs', pod);
  const names = await readdir(directory).catch(() => []);
  if (names.length === 0) throw new LocalError('unknown-name', `${pod} has written nothing yet`);
  return names.filter((name) => name.endsWith('.log')).map((name) => join(directory, name));
};
