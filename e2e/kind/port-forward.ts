import { spawn } from 'node:child_process';
import type { PodView } from '../resources.ts';
import type { Place } from './place.ts';

/** Forwards a free local port to a port of a pod while `use` runs; not held up by network policies. */
export const portForward = async <T>(
  { tools, kubeconfig }: Place,
  { namespace, name }: PodView,
  port: number,
  use: (url: string) => Promise<T>,
): Promise<T> => {
  const args = ['port-forward', '-n', namespace, `pod/${name}`, `:${port}`];
  const child = spawn(tools.kubectl, args, {
    env: { ...process.env, KUBECONFIG: kubeconfig },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  try {
    const local = await new Promise<string>((resolve, reject) => {
      const said: string[] = [];
      const failed = () => reject(new Error(`kubectl port-forward to ${name}: ${said.join('').trim()}`));
      setTimeout(failed, 15_000).unref();
      child.once('close', failed);
      child.stderr.on('data', (chunk: Buffer) => said.push(chunk.toString()));
      child.stdout.on('data', (chunk: Buffer) => {
        const found = /127\.0\.0\.1:(\d+)/.exec(chunk.toString());
        if (found?.[1]) resolve(found[1]);
      });
    });
    return await use(`http://127.0.0.1:${local}`);
  } finally {
    child.kill('SIGKILL');
  }
};
