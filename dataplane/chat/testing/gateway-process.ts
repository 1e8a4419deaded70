import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { freePort } from '../../../local/processes/ports.ts';
import { testApiKey, testSecret, until } from './world.ts';

/** For integration tests: a gateway in a process of its own, which can be killed. */
export interface GatewayProcess {
  readonly port: number;
  readonly pid: number;
  /** Everything that it logged. */
  output(): string;
  kill(signal: NodeJS.Signals): Promise<void>;
}

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });

/** Starts `dataplane/main.ts chat-gateway`; resolves when it takes clients. */
export const startGatewayProcess = async (
  natsUrl: string,
  name: string,
  environment: Record<string, string> = {},
): Promise<GatewayProcess> => {
  const port = await freePort();
  const main = join(import.meta.dirname, '..', '..', 'main.ts');
  const child: ChildProcess = spawn(process.execPath, [main, 'chat-gateway'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      QUARTET_NAMESPACE: 'test',
      QUARTET_POD: name,
      QUARTET_POD_IP: '127.0.0.1',
      QUARTET_NODE: 'node-test',
      QUARTET_NATS_URL: natsUrl,
      QUARTET_PORT: String(port),
      QUARTET_ADMIN_PORT: '0',
      QUARTET_CHAT_DEVELOPMENT: 'true',
      QUARTET_CHAT_TOKEN_SECRET: testSecret,
      QUARTET_CHAT_API_KEY: testApiKey,
      ...environment,
    },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exited = once(child, 'exit');
  await until(`gateway ${name} takes clients: ${output}`, () => accepts(port), 20_000);
  return {
    port,
    pid: child.pid ?? 0,
    output: () => output,
    kill: async (signal) => {
      child.kill(signal);
      await exited;
    },
  };
};

/** What a Kubernetes Service does: one address, each connection goes to a gateway that accepts it. */
export interface TestService {
  readonly url: string;
  /** Ports of the gateways, tried in this order. */
  readonly ports: number[];
  stop(): void;
}

const pipe = (from: Socket, to: Socket): void => {
  from.pipe(to);
  from.once('error', () => to.destroy()).once('close', () => to.destroy());
  to.once('error', () => from.destroy()).once('close', () => from.destroy());
  to.pipe(from);
};

export const startService = async (ports: number[]): Promise<TestService> => {
  const dial = (client: Socket, index: number): void => {
    const port = ports[index];
    if (port === undefined) return void client.destroy();
    const upstream = connect(port, '127.0.0.1');
    const next = (): void => dial(client, index + 1);
    upstream.once('error', next).once('connect', () => {
      upstream.off('error', next);
      pipe(client, upstream);
    });
  };
  const server = createServer((client) => {
    client.on('error', () => client.destroy());
    dial(client, 0);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { url: `ws://127.0.0.1:${port}/connection/websocket`, ports, stop: () => server.close() };
};
