import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { jetstreamManager } from '@nats-io/jetstream';
import { servicePorts } from '../../contract/pod-env.ts';
import { watchDirectory } from '../fabric/directory.ts';
import type { Pod } from '../fabric/pod.ts';
import { httpApi } from './api/http-api.ts';
import { Tokens } from './connection/token.ts';
import { serveWebsockets } from './connection/websocket-server.ts';
import { Housekeeping } from './housekeeping.ts';
import { defaultLimits, type ChatLimits } from './limits.ts';
import { Members } from './membership/members.ts';
import { Users } from './membership/users.ts';
import { chatMetrics } from './metrics.ts';
import { Notifier } from './presence/notifier.ts';
import { Presence } from './presence/presence.ts';
import { Sessions } from './presence/sessions.ts';
import { HubRegistry } from './room/hub-registry.ts';
import type { Services } from './services.ts';
import { JetStreamLog } from './store/jetstream-log.ts';
import { provision } from './store/provision.ts';

/** Questions to streams wait this long (ms): less than clients wait for their replies. */
const requestMs = 3_000;

/** A gateway that serves. */
export interface ChatGateway {
  /** The port that it listens on. */
  readonly port: number;
  readonly services: Services;
}

/** Tests shorten times and bounds. */
export interface ChatOptions {
  readonly limits?: Partial<ChatLimits>;
  /** Length of one second of the connections' timers (ms). */
  readonly tickMs?: number;
}

/** Starts the role `chat-gateway`. */
export const start = async (pod: Pod): Promise<void> => {
  await startChat(pod);
};

/** Starts a gateway; resolves when it takes clients. */
export const startChat = async (pod: Pod, options: ChatOptions = {}): Promise<ChatGateway> => {
  const limits = { ...defaultLimits, ...options.limits };
  warnAboutMode(pod);
  const manager = await jetstreamManager(pod.nats, { checkAPI: false, timeout: requestMs });
  const directory = await watchDirectory(pod, 'chat');
  const bucket = await provision(pod, manager);
  const namespace = pod.env.QUARTET_NAMESPACE;
  const times = { attemptMs: limits.publishAttemptMs, deadlineMs: limits.publishDeadlineMs };
  const log = new JetStreamLog({ namespace, jetstream: pod.jetstream, manager, times });
  const hubs = new HubRegistry({ namespace, nats: pod.nats, log, limits, logger: pod.log });
  const members = new Members(pod, manager);
  await members.start();
  const sessions = new Sessions();
  const presence = new Presence(pod, sessions, limits);
  const services: Services = {
    gateway: pod.env.QUARTET_POD,
    limits,
    development: pod.env.QUARTET_CHAT_DEVELOPMENT === 'true',
    room: (name) => {
      const entry = directory.entries.get(name);
      return entry === undefined || entry.closing ? null : entry;
    },
    rooms: () => [...directory.entries.values()].filter((entry) => !entry.closing),
    tokens: new Tokens(pod.env.QUARTET_CHAT_TOKEN_SECRET ?? null),
    log,
    hubs,
    members,
    users: new Users(pod),
    sessions,
    presence,
    notifier: new Notifier({ nats: pod.nats, namespace, members, presence, logger: pod.log }),
    metrics: chatMetrics(pod.metrics),
    logger: pod.log,
  };
  pod.onShutdown('chat users', () => services.users.flush());
  new Housekeeping({ pod, manager, bucket, directory, services }).start();
  const http = await listen(pod, services);
  const websockets = serveWebsockets(http, services, options.tickMs);
  pod.heartbeat(() => ({ load: { connections: websockets.connections.size, users: sessions.users } }));
  pod.onControl(async ({ type }) => {
    if (type !== 'drain') return { ok: false, code: 'unsupported', message: `a chat gateway does not ${type}` };
    await websockets.stop();
    return { ok: true, term: 0, applied: 0 };
  });
  pod.onShutdown('chat connections', async () => {
    await websockets.stop();
    http.close();
    http.closeAllConnections();
  });
  const address = http.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  pod.log.info({ port }, 'chat gateway is listening');
  return { port, services };
};

const listen = async (pod: Pod, services: Services): Promise<Server> => {
  const http = createServer(httpApi(services, pod.env.QUARTET_CHAT_API_KEY ?? null));
  http.headersTimeout = 10_000;
  http.requestTimeout = 30_000;
  http.listen(pod.env.QUARTET_PORT ?? servicePorts['chat-gateway'], pod.env.QUARTET_POD_IP);
  await once(http, 'listening');
  return http;
};

const warnAboutMode = ({ env, log, health }: Pod): void => {
  if (env.QUARTET_CHAT_DEVELOPMENT === 'true') {
    log.warn('DEVELOPMENT MODE: anybody may connect as any user, without a token. Never expose this gateway.');
    return;
  }
  const usable = env.QUARTET_CHAT_TOKEN_SECRET !== undefined;
  health.set('chat tokens', usable, usable ? '' : 'QUARTET_CHAT_TOKEN_SECRET is not set: no client can connect');
  if (!usable) log.error('QUARTET_CHAT_TOKEN_SECRET is not set and development mode is off: no client can connect');
};
