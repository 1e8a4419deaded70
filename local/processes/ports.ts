import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Whether a TCP port can be listened on right now. */
export const portIsFree = (port: number, host = '127.0.0.1'): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });

/** The same, but a port that is about to become free (its owner is just ending) is waited for. */
export const portBecomesFree = async (port: number, host: string, patienceMs = 3000): Promise<boolean> => {
  const deadline = performance.now() + patienceMs;
  while (!(await portIsFree(port, host))) {
    if (performance.now() > deadline) return false;
    await sleep(100);
  }
  return true;
};

/** Ports that are free now. All are held until all are known, so they differ. */
export const freePorts = async (count: number, host = '127.0.0.1'): Promise<number[]> => {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
          const server = createServer();
          server.once('error', reject);
          server.listen({ port: 0, host }, () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
};
