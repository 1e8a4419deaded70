import { rmSync } from 'node:fs';
import { createServer, request, type IncomingMessage, type Server } from 'node:http';
import { json } from 'node:stream/consumers';
import { LocalError, reasonOf, type LocalErrorCode } from '../errors.ts';
import type { Report } from './report.ts';

/** Where an instance is reached, and how far it has come. */
export interface Overview {
  readonly pid: number;
  readonly state: 'starting' | 'running' | 'stopping';
  /** What it starts at the moment. */
  readonly step: string;
  readonly kubeconfig: string;
  readonly natsUrl: string;
  readonly natsServers: number;
  /** Monitors of the servers; none until they run. */
  readonly natsMonitors: readonly string[];
  readonly publicHost: string;
}

/** What the supervisor can be asked for, over its control socket. */
export interface Commands {
  overview(): Overview;
  report(): Promise<Report>;
  killNode(name: string): Promise<void>;
  reviveNode(name: string): Promise<void>;
  killPod(name: string): Promise<{ pod: string }>;
  /** Directory with the pod's log files. */
  logs(name: string): Promise<{ directory: string }>;
  stop(): Promise<void>;
}

export type Command = keyof Commands;

const call = async (commands: Commands, name: string, argument: string): Promise<unknown> => {
  switch (name as Command) {
    case 'overview':
      return commands.overview();
    case 'report':
      return commands.report();
    case 'killNode':
      return commands.killNode(argument);
    case 'reviveNode':
      return commands.reviveNode(argument);
    case 'killPod':
      return commands.killPod(argument);
    case 'logs':
      return commands.logs(argument);
    case 'stop':
      return commands.stop();
    default:
      throw new LocalError('invalid', `the supervisor knows no command ${name}`);
  }
};

const commandOf = (message: IncomingMessage): { name: string; argument: string } => {
  const url = new URL(message.url ?? '/', 'http://supervisor');
  return { name: url.pathname.slice(1), argument: url.searchParams.get('argument') ?? '' };
};

/** Serves commands on a Unix socket that only its owner may open. @throws when the socket cannot be made */
export const serveControl = (path: string, commands: Commands): Promise<Server> =>
  new Promise((resolve, reject) => {
    rmSync(path, { force: true });
    const server = createServer((message, response) => {
      const { name, argument } = commandOf(message);
      call(commands, name, argument).then(
        (result) => response.end(JSON.stringify(result ?? {})),
        (error: unknown) => {
          const code = error instanceof LocalError ? error.code : 'request-failed';
          response.writeHead(400).end(JSON.stringify({ code, message: reasonOf(error) }));
        },
      );
    });
    server.once('error', reject);
    server.listen(path, () => resolve(server));
  });

/**
 * Asks the supervisor behind a socket.
 * @throws LocalError `not-running` when there is none, else what the supervisor says
 */
export const askSupervisor = <C extends Command>(
  path: string,
  command: C,
  argument = '',
): Promise<Awaited<ReturnType<Commands[C]>>> =>
  new Promise((resolve, reject) => {
    const target = `/${command}?argument=${encodeURIComponent(argument)}`;
    const outgoing = request({ socketPath: path, path: target, method: 'POST', timeout: 60_000 }, (response) => {
      json(response).then((body) => {
        if (response.statusCode === 200) {
          resolve(body as Awaited<ReturnType<Commands[C]>>);
          return;
        }
        const { code, message } = body as { code: LocalErrorCode; message: string };
        reject(new LocalError(code, message));
      }, reject);
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer within 60 s')));
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      const away = error.code === 'ENOENT' || error.code === 'ECONNREFUSED' || error.code === 'ECONNRESET';
      reject(
        new LocalError('not-running', away ? 'Quartet is not running: `./quartet up` starts it' : error.message, error),
      );
    });
    outgoing.end();
  });
