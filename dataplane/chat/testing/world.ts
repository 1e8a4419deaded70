import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { Centrifuge, type Options, type PublicationContext, type Subscription } from 'centrifuge';
import { WebSocket } from 'ws';
import type { ChatRoomEntry } from '../../../contract/directory.ts';
import { startNats, type Nats } from '../../../local/nats-server.ts';
import type { Pod } from '../../fabric/pod.ts';
import { putDirectory, testPod } from '../../fabric/testing.ts';
import { startChat, type ChatGateway, type ChatOptions } from '../start.ts';

/** For integration tests: NATS and gateways in this process, real clients against them. */
export interface ChatWorld {
  readonly nats: Nats;
  /** A pod that belongs to no gateway: writes the directory, listens to subjects. */
  readonly operator: Pod;
  /** Starts one more gateway in this process. */
  gateway(name: string, options?: ChatOptions, environment?: Record<string, string>): Promise<TestGateway>;
  /** Publishes a room as the operator would; waits until all gateways know it. */
  room(entry: Partial<ChatRoomEntry> & { name: string }): Promise<ChatRoomEntry>;
  stop(): Promise<void>;
}

export interface TestGateway extends ChatGateway {
  readonly pod: Pod;
  /** Address of its WebSocket endpoint. */
  readonly url: string;
  /** Address of its HTTP server. */
  readonly http: string;
}

export const testSecret = 'a secret for tests only';
export const testApiKey = 'an api key for tests only';

/** A room with defaults. */
export const roomEntry = (entry: Partial<ChatRoomEntry> & { name: string }): ChatRoomEntry => ({
  kind: 'chat',
  namespace: 'test',
  displayName: entry.name,
  type: 'public',
  maxMembers: 1_000,
  retention: { maxAgeSeconds: 86_400, maxMessages: 10_000 },
  fileUpload: false,
  moderation: 'off',
  closing: false,
  ...entry,
});

/** Waits until a condition holds; fails after the deadline with what was waited for. */
export const until = async (what: string, condition: () => boolean | Promise<boolean>, ms = 10_000): Promise<void> => {
  const deadline = Date.now() + ms;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited ${ms} ms in vain: ${what}`);
    await sleep(10);
  }
};

/** Starts NATS and a world around it. */
export const startWorld = async (servers: 1 | 3 = 1): Promise<ChatWorld> => {
  const dir = await mkdtemp(join(tmpdir(), 'quartet-chat-'));
  const nats = await startNats({ dir, servers });
  const operator = await testPod(nats.url, 'site', { QUARTET_POD: 'observer' });
  const gateways: TestGateway[] = [];
  return {
    nats,
    operator,
    gateway: async (name, options = {}, environment = {}) => {
      await putDirectory(operator, 'chat', roomEntry({ name: 'lobby' }));
      const pod = await testPod(nats.url, 'chat-gateway', {
        QUARTET_POD: name,
        QUARTET_PORT: '0',
        QUARTET_CHAT_DEVELOPMENT: 'true',
        QUARTET_CHAT_TOKEN_SECRET: testSecret,
        QUARTET_CHAT_API_KEY: testApiKey,
        QUARTET_NATS_REPLICAS: String(servers),
        ...environment,
      });
      const gateway = await startChat(pod, options);
      const started = {
        ...gateway,
        pod,
        url: `ws://127.0.0.1:${gateway.port}/connection/websocket`,
        http: `http://127.0.0.1:${gateway.port}`,
      };
      gateways.push(started);
      return started;
    },
    room: async (partial) => {
      const entry = roomEntry(partial);
      await putDirectory(operator, 'chat', entry);
      const wanted = entry.closing ? null : entry;
      const known = (): boolean =>
        gateways.every(({ services }) => isDeepStrictEqual(services.room(entry.name), wanted));
      await until(`all gateways know the room ${entry.name}`, known);
      return entry;
    },
    stop: async () => {
      await Promise.all(gateways.map(({ pod }) => pod.stop()));
      await operator.stop();
      await nats.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
};

/** The unmodified `centrifuge` client on the `ws` package. */
export const client = (url: string, user: string, options: Partial<Options> = {}): Centrifuge =>
  new Centrifuge(url, {
    websocket: WebSocket,
    data: { user },
    minReconnectDelay: 20,
    maxReconnectDelay: 200,
    timeout: 5_000,
    ...options,
  });

/** A subscription that notes what it gets. */
export interface Heard {
  readonly subscription: Subscription;
  readonly publications: PublicationContext[];
  /** The contents in the order in which they came. */
  contents(): string[];
}

/** Subscribes and waits until that is confirmed. */
export const hear = async (of: Centrifuge, room: string, options = {}): Promise<Heard> => {
  const subscription = of.newSubscription(`room:${room}`, options);
  const publications: PublicationContext[] = [];
  subscription.on('publication', (publication) => publications.push(publication));
  subscription.subscribe();
  await subscription.ready(10_000);
  return {
    subscription,
    publications,
    contents: () => publications.map(({ data }) => (data as { content: string }).content),
  };
};
