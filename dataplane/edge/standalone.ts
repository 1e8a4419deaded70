import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { defaultPolicies } from './policy/content-policy.ts';
import { Edge } from './serve/edge.ts';
import { defaultErrorGraceSeconds, type EdgeConfig } from './serve/edge-config.ts';
import { closeServer, createHttpServer, listen } from './serve/http-server.ts';

const usage = `edge --listen <host:port> --origin <http://host:port> [--id <name>] [--memory <MiB>] [--default-ttl]`;

interface StandaloneOptions {
  readonly host: string;
  readonly port: number;
  readonly config: EdgeConfig;
}

/** Reads the command line. Throws an Error whose message is for people. */
export function parseStandalone(argv: readonly string[]): StandaloneOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      listen: { type: 'string', default: '127.0.0.1:8081' },
      origin: { type: 'string' },
      id: { type: 'string', default: 'edge' },
      memory: { type: 'string', default: '256' },
      'default-ttl': { type: 'boolean', default: false },
    },
  });
  const listenAt = /^(.*):(\d{1,5})$/.exec(values.listen);
  const origin = values.origin === undefined ? null : URL.parse(values.origin);
  const memoryMiB = Number(values.memory);
  if (listenAt === null) throw new Error(`--listen needs host:port\nusage: ${usage}`);
  if (origin?.protocol !== 'http:') throw new Error(`--origin needs http://host:port\nusage: ${usage}`);
  if (!Number.isInteger(memoryMiB) || memoryMiB < 1) throw new Error(`--memory needs a number of MiB\nusage: ${usage}`);
  return {
    host: listenAt[1] ?? '',
    port: Number(listenAt[2]),
    config: {
      name: values.id,
      id: values.id,
      memoryBytes: memoryMiB * 1024 * 1024,
      defaultTtl: values['default-ttl'],
      policies: defaultPolicies,
      origins: [{ hosts: ['*'], url: origin.origin }],
      errorGraceSeconds: defaultErrorGraceSeconds,
    },
  };
}

/** Runs an edge by itself, without NATS and without a resource: `edge --listen 127.0.0.1:8002 --origin http://…`. */
export async function standalone(argv: readonly string[]): Promise<void> {
  const options = parseStandalone(argv);
  const log = pino({ name: options.config.id });
  const edge = new Edge(options.config);
  const server = createHttpServer((message, response) => edge.handle(message, response));
  const port = await listen(server, options.host, options.port);
  log.info({ host: options.host, port, origin: options.config.origins[0]?.url }, 'listening');
  const stop = (): void => {
    void closeServer(server, 5_000)
      .then(() => edge.close())
      .then(() => process.exit(0));
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}
