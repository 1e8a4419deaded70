import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { LocalError } from '../errors.ts';

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

/** Below those that Linux gives to whoever asks for any port (32768 and up by default). */
const range = { first: 15_000, count: 17_000 };

const listenSomewhere = async (host: string): Promise<Server> => {
  for (let attempt = 0; ; attempt++) {
    const server = createServer();
    server.listen({ port: range.first + Math.floor(Math.random() * range.count), host, exclusive: true });
    try {
      await once(server, 'listening');
      return server;
    } catch (error) {
      if (attempt >= 100) throw error;
    }
  }
};

/** A port that is free now: see {@link freePorts}. */
export const freePort = async (host = '127.0.0.1'): Promise<number> => {
  const [port] = await freePorts(1, host);
  if (port === undefined) throw new LocalError('start-failed', `no port of ${host} is free`);
  return port;
};

/**
 * Ports that are free now. All are held until all are known, so they differ. Nobody gets one of them by chance while
 * its owner is down for a moment.
 */
export const freePorts = async (count: number, host = '127.0.0.1'): Promise<number[]> => {
  const servers = await Promise.all(Array.from({ length: count }, () => listenSomewhere(host)));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
};
