import { type IncomingMessage, type RequestListener, request, type Server } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { defaultPolicies } from './policy/content-policy.ts';
import { Edge } from './serve/edge.ts';
import type { EdgeConfig } from './serve/edge-config.ts';
import { createHttpServer, defaultServerLimits, listen, type ServerLimits } from './serve/http-server.ts';
import { defaultOriginLimits, type OriginLimits, OriginPools } from './serve/origin-exchange.ts';

/** Waits for a condition; fails with its name at the deadline. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, deadlineMs = 20_000): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`within ${deadlineMs} ms it did not happen that ${what}`);
    await sleep(20);
  }
}

/** An edge in this process in front of an origin that a test writes. */
export interface Bench {
  readonly edge: Edge;
  readonly url: string;
  readonly port: number;
  /** How many requests have reached the edge. */
  readonly arrived: number;
  /** Requests that reached the origin. */
  readonly seen: IncomingMessage[];
  readonly origin: Server;
  setOrigin(handler: RequestListener): void;
  /** Takes the origin away: connections to it are refused from now on. */
  stopOrigin(): Promise<void>;
  close(): Promise<void>;
}

export interface BenchOptions {
  readonly config?: Partial<EdgeConfig>;
  readonly server?: Partial<ServerLimits>;
  readonly originLimits?: Partial<OriginLimits>;
}

export async function startBench(handler: RequestListener, options: BenchOptions = {}): Promise<Bench> {
  const seen: IncomingMessage[] = [];
  let current = handler;
  const origin = createHttpServer((message, response) => {
    seen.push(message);
    current(message, response);
  });
  const originPort = await listen(origin, '127.0.0.1', 0);
  const edge = new Edge(
    {
      name: 'edge',
      id: 'edge/test',
      memoryBytes: 32 * 1024 * 1024,
      defaultTtl: false,
      policies: defaultPolicies,
      origins: [{ hosts: ['*'], url: `http://127.0.0.1:${originPort}` }],
      errorGraceSeconds: 3600,
      ...options.config,
    },
    new OriginPools({ ...defaultOriginLimits, ...options.originLimits }),
  );
  let arrived = 0;
  const count: RequestListener = (message, response) => {
    arrived++;
    edge.handle(message, response);
  };
  const server = createHttpServer(count, { ...defaultServerLimits, ...options.server });
  const port = await listen(server, '127.0.0.1', 0);
  const stopOrigin = async (): Promise<void> => {
    const closed = new Promise((resolve) => origin.close(resolve));
    origin.closeAllConnections();
    await closed;
  };
  return {
    edge,
    url: `http://127.0.0.1:${port}`,
    port,
    get arrived() {
      return arrived;
    },
    seen,
    origin,
    setOrigin: (next) => {
      current = next;
    },
    stopOrigin,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await edge.close();
      await stopOrigin();
    },
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** One request, without the conveniences of fetch: what is sent is what the test says. */
export function ask(
  url: string,
  options: { method?: string; headers?: Record<string, string | string[]>; body?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { method = 'GET', headers = {}, body } = options;
    const sent = request(url, { method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString('latin1'),
        }),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Sends bytes as they are and returns all that comes back until the other side closes, or the deadline. */
export function raw(port: number, bytes: string | Buffer, deadlineMs = 5_000): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    const timer = setTimeout(() => socket.destroy(), deadlineMs);
    socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(answer);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error);
    });
    socket.write(bytes);
  });
}
