import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NatsConnection } from '@nats-io/transport-node';
import { pino } from 'pino';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import type { ControlReply } from '../contract/control.ts';
import type { Role } from '../contract/names.ts';
import { natsUserOf, natsUsers, type NatsUser } from '../contract/permissions.ts';
import * as subjects from '../contract/subjects.ts';
import { runProgram } from '../dataplane/db/backup/testing/program.ts';
import { startChild, type Child } from '../local/processes/child.ts';
import { freePort } from '../local/processes/ports.ts';
import { until } from '../local/processes/until.ts';
import { Commands } from '../operator/commands.ts';
import { DirectoryPublisher } from '../operator/directory.ts';
import { Logs } from '../operator/logs.ts';
import { NatsLink } from '../operator/nats-link.ts';
import { startAuthorizedNats, type AuthorizedNats } from './testing/authorized-nats.ts';

const namespace = 'shop';
const database = { kind: 'db', namespace, name: 'app-a' } as const;
const index = { kind: 'search', namespace, name: 'products-0' } as const;
const apiKey = 'an-api-key-for-tests';

let dir: string;
let nats: AuthorizedNats;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'quartet-permissions-'));
  nats = await startAuthorizedNats(join(dir, 'nats'));
});
afterAll(async () => {
  await nats.stop();
  await rm(dir, { recursive: true, force: true });
});

/** Every subject of the contract, and whose it is: who may publish to it, who may subscribe to it. */
const uses: readonly [subject: string, publish: readonly NatsUser[], subscribe: readonly NatsUser[]][] = [
  [`$KV.${subjects.directoryBucket}.db.shop.a`, ['operator'], []],
  [`${subjects.directoryLivePrefix}.${subjects.directoryKey('db', namespace, 'a')}`, [], ['db']],
  [`${subjects.directoryLivePrefix}.${subjects.directoryKey('search', namespace, 'a')}`, [], ['search']],
  [`${subjects.directoryLivePrefix}.${subjects.directoryKey('chat', namespace, 'a')}`, [], ['chat']],
  [`${subjects.directoryLivePrefix}.${subjects.directoryKey('edge', namespace, 'a')}`, [], ['edge']],
  [subjects.heartbeatSubject(namespace, 'db', 'a', 'p'), ['db'], ['operator', 'db']],
  [subjects.heartbeatSubject(namespace, 'db-gateway', '_', 'p'), ['db'], ['operator', 'db']],
  [subjects.heartbeatSubject(namespace, 'search', 'a', 'p'), ['search'], ['operator', 'search']],
  [subjects.heartbeatSubject(namespace, 'search-gateway', '_', 'p'), ['search'], ['operator', 'search']],
  [subjects.heartbeatSubject(namespace, 'chat-gateway', '_', 'p'), ['chat'], ['operator', 'chat']],
  [subjects.heartbeatSubject(namespace, 'edge', 'a', 'p'), ['edge'], ['operator', 'edge']],
  [subjects.heartbeatSubject(namespace, 'edge-router', '_', 'p'), ['edge'], ['operator', 'edge']],
  [subjects.heartbeatSubject(namespace, 'site', '_', 'p'), ['edge'], ['operator', 'edge']],
  [subjects.allHeartbeats, [], ['operator']],
  [subjects.chatReportSubject(namespace, 'p'), ['chat'], ['operator']],
  [subjects.allChatReports, [], ['operator']],
  [subjects.controlSubject(namespace, 'p'), ['operator'], ['edge', 'search', 'chat', 'db']],
  [subjects.snapshotSubject(database, 'p'), ['db'], ['db']],
  [subjects.snapshotSubject(index, 'p'), ['search'], ['search']],
  [subjects.memberSubject(database, 'p'), ['db'], ['db']],
  [subjects.memberSubject(index, 'p'), ['search'], ['search']],
  [subjects.logSubject(database), ['db'], []],
  [subjects.logSubject(index), ['search'], []],
  [subjects.liveSubject(database), [], ['db']],
  [subjects.liveSubject(index), [], ['search']],
  [subjects.chatSubject(namespace, 0, 'r'), ['chat'], []],
  [subjects.chatLiveSubject(namespace, 'r'), [], ['chat']],
  [`$KV.${subjects.chatBucket(namespace)}.member.r.u`, ['chat'], []],
  [`$KV.${subjects.chatBucket(namespace)}.lease.sweep`, ['chat'], []],
  [subjects.purgeSubject(namespace), ['edge'], ['edge']],
  [subjects.memberFeedSubject(database, 'p'), ['db'], ['db']],
  [subjects.memberSplitSubject(database, 'p'), ['db'], ['db']],
  [subjects.channelSubject(namespace, 'c'), ['db'], ['db']],
  [subjects.databaseSubject(namespace, 'app'), ['db'], ['db']],
  [subjects.databaseSubject(namespace, 'app', 'txn'), ['db'], ['db']],
  [`$JS.API.STREAM.DELETE.${subjects.logStream(database)}`, ['operator'], []],
  [`$JS.API.STREAM.UPDATE.${subjects.logStream(database)}`, ['operator'], []],
  [`$JS.API.STREAM.CREATE.${subjects.chatStream(namespace, 0)}`, ['operator', 'chat'], []],
  [`$JS.API.STREAM.PURGE.${subjects.logStream(database)}`, ['operator', 'db', 'search', 'chat'], []],
  [`$JS.API.STREAM.MSG.DELETE.${subjects.logStream(database)}`, [], []],
  [`$JS.API.CONSUMER.CREATE.${subjects.logStream(database)}`, [], []],
  ['$SYS.REQ.SERVER.PING', [], []],
  ['quartet.>', [], []],
  ['>', [], []],
  ...natsUsers.map((user): [string, NatsUser[], NatsUser[]] => [
    `_INBOX_${user}.x`,
    user === 'operator' ? [...natsUsers].filter((other) => other !== 'operator') : [user],
    [user],
  ]),
];

/** What a user tried and was refused, by the server's own word. */
const refusedSubjects = (connection: NatsConnection): Set<string> => {
  const refused = new Set<string>();
  void (async () => {
    for await (const status of connection.status()) {
      const match = status.type === 'error' && /to "([^"]+)"/.exec(status.error.message);
      if (match) refused.add(match[1] ?? '');
    }
  })();
  return refused;
};

describe.each(natsUsers)('the user %s', (user) => {
  it('publishes what is its own to say, and nothing else', async () => {
    const connection = await nats.connect(user);
    const refused = refusedSubjects(connection);
    // wildcards are for subscriptions
    const concrete = uses.filter(([subject]) => !/[*>]/.test(subject));
    for (const [subject] of concrete) connection.publish(subject, '{}');
    await connection.flush();
    await until({ what: 'the last refusal', timeoutMs: 5_000 }, () => {
      connection.publish('nobody.may.say.this');
      return refused.has('nobody.may.say.this') ? true : undefined;
    });
    const expected = concrete.filter(([, publish]) => !publish.includes(user)).map(([subject]) => subject);
    refused.delete('nobody.may.say.this');
    expect([...refused].toSorted()).toEqual(expected.toSorted());
    await connection.close();
  });

  it('hears what is meant for it, and nothing else', async () => {
    const connection = await nats.connect(user);
    const refused = new Set<string>();
    const subscribe = (subject: string): void => {
      connection.subscribe(subject, { callback: (error) => void (error && refused.add(subject)) });
    };
    for (const [subject] of uses) subscribe(subject);
    subscribe('nobody.may.hear.this');
    await until({ what: 'the last refusal', timeoutMs: 5_000 }, () =>
      refused.has('nobody.may.hear.this') ? true : undefined,
    );
    refused.delete('nobody.may.hear.this');
    const expected = uses.filter(([, , hear]) => !hear.includes(user)).map(([subject]) => subject);
    expect([...refused].toSorted()).toEqual(expected.toSorted());
    await connection.close();
  });
});

it('lets nobody in without a password', async () => {
  const stranger = { ...nats.passwords, db: 'wrong' };
  expect(stranger.db).not.toBe(nats.passwords.db);
  const { connect } = await import('@nats-io/transport-node');
  await expect(connect({ servers: nats.url, reconnect: false })).rejects.toThrow(/Authorization/i);
  await expect(connect({ servers: nats.url, user: 'db', pass: 'wrong', reconnect: false })).rejects.toThrow(
    /Authorization/i,
  );
});

/** One real NATS with passwords, the operator's own parts, and every role as a process with its password only. */
describe('with its password, each service does its work', () => {
  const children: Child[] = [];
  const log = pino({ level: 'silent' });
  const main = join(import.meta.dirname, '../dataplane/main.ts');
  let link: NatsLink;
  let directory: DirectoryPublisher;
  let commands: Commands;
  let violationsBefore = 0;

  const start = async (role: Role, pod: string, more: Readonly<Record<string, string>> = {}): Promise<number> => {
    const port = await freePort();
    children.push(
      startChild({
        name: pod,
        command: process.execPath,
        args: [main, role],
        log: join(dir, `${pod}.log`),
        env: {
          PATH: process.env['PATH'],
          QUARTET_NAMESPACE: namespace,
          QUARTET_POD: pod,
          QUARTET_POD_IP: '127.0.0.1',
          QUARTET_NODE: `node-of-${pod}`,
          QUARTET_NATS_URL: nats.url,
          QUARTET_NATS_PASSWORD: nats.passwords[natsUserOf[role]],
          QUARTET_PORT: String(port),
          QUARTET_ADMIN_PORT: '0',
          ...more,
        },
      }),
    );
    return port;
  };

  const member = (role: 'db' | 'search', pod: string, resource: string): Promise<number> =>
    start(role, pod, { QUARTET_RESOURCE: resource, QUARTET_DATA_DIR: join(dir, pod) });

  const promote = async (pod: string): Promise<void> => {
    await until({ what: `${pod} to lead`, timeoutMs: 30_000, everyMs: 200 }, async () => {
      const reply: ControlReply = await commands.ask(namespace, pod, { type: 'promote', term: 1 });
      return reply.ok ? true : undefined;
    });
  };

  const logOf = async (set: typeof database | typeof index): Promise<{ stream: string; created: string }> => {
    await link.manager();
    await logs.create(set, 'uid');
    await logs.refresh();
    const view = logs.view(set);
    if (view.state !== 'present') throw new Error(`the log is ${view.state}`);
    return { stream: view.stream, created: view.created };
  };
  let logs: Logs;

  const answer = <T>(what: string, ask: () => Promise<T | undefined>): Promise<T> =>
    until({ what, timeoutMs: 40_000, everyMs: 200 }, () => ask().catch(() => undefined));

  beforeAll(async () => {
    violationsBefore = (await nats.violations()).length;
    link = new NatsLink({ url: nats.url, replicas: 1, passwords: nats.passwords }, log);
    await link.start();
    logs = new Logs(() => link.manager(), 1);
    directory = new DirectoryPublisher(() => link.connection, 1, log);
    commands = new Commands((subject, payload, deadline) => link.request(subject, payload, deadline), log);
  });
  afterAll(async () => {
    await Promise.all(children.map((child) => child.stop(5_000)));
    directory.stop();
    await link.stop();
  });

  it('a database: writes, a member rebuilt from its peer, and requests over NATS', async () => {
    const reference = await logOf(database);
    const members = ['app-a-0', 'app-a-1'].map((pod) => ({ pod, node: pod, zone: '' }));
    directory.set('db', database, {
      ...database,
      database: 'app',
      start: '',
      end: '',
      log: reference,
      members,
      primary: 'app-a-0',
      term: 1,
      conflict: null,
    });
    await member('db', 'app-a-0', database.name);
    await promote('app-a-0');
    const client = new Redis(await start('db-gateway', 'db-gateway-0'), '127.0.0.1', { maxRetriesPerRequest: null });
    client.on('error', () => {});
    expect(await client.set('k', 'v')).toBe('OK');
    const second = new Redis(await member('db', 'app-a-1', database.name), '127.0.0.1', { maxRetriesPerRequest: null });
    second.on('error', () => {});
    expect(await second.set('k2', 'v2')).toBe('OK');
    expect(await client.mget('k', 'k2')).toEqual(['v', 'v2']);
    client.disconnect();
    second.disconnect();
  });

  it('a backup of it, as the pod of a DBBackup makes it', async () => {
    const env = { QUARTET_NATS_URL: nats.url, QUARTET_NATS_PASSWORD: nats.passwords.db };
    const place = join(dir, 'backups');
    const made = await runProgram(['backup', 'app', '--namespace', namespace, '--to', place], env);
    expect(`${made.problems}${made.code}`).toBe('0');
    const checked = await runProgram(['restore', '--check', '--from', place], {});
    expect(checked.output).toMatch(/whole: .* 2 keys/);
  });

  it('an index: a document found', async () => {
    const reference = await logOf(index);
    directory.set('search', index, {
      ...index,
      index: 'products',
      ordinal: 0,
      of: 1,
      analyzer: 'english',
      log: reference,
      members: [{ pod: 'products-0-0', node: 'n', zone: '' }],
      primary: 'products-0-0',
      term: 1,
      conflict: null,
    });
    await member('search', 'products-0-0', index.name);
    await promote('products-0-0');
    const url = `http://127.0.0.1:${await start('search-gateway', 'search-gateway-0')}`;
    const put = { method: 'PUT', headers: { 'content-type': 'application/json' }, body: '{"title":"a brass horn"}' };
    await answer('a stored document', async () =>
      (await fetch(`${url}/products/_doc/1?refresh=true`, put)).ok ? true : undefined,
    );
    const found = await answer('an answer', async () => (await fetch(`${url}/products/_search?q=horn`)).text());
    expect(found).toContain('a brass horn');
  });

  it('a room: a message published and read', async () => {
    const room = { kind: 'chat', namespace, name: 'lobby' } as const;
    directory.set('chat', room, {
      ...room,
      displayName: 'Lobby',
      type: 'public',
      maxMembers: 10,
      retention: { maxAgeSeconds: 3600, maxMessages: 100 },
      fileUpload: false,
      moderation: 'off',
      closing: false,
    });
    const secrets = { QUARTET_CHAT_TOKEN_SECRET: 'a-secret-for-tests', QUARTET_CHAT_API_KEY: apiKey };
    const url = `http://127.0.0.1:${await start('chat-gateway', 'chat-gateway-0', secrets)}`;
    await start('chat-gateway', 'chat-gateway-1', secrets);
    const call = async (method: string, body: object): Promise<string> => {
      const headers = { 'content-type': 'application/json', 'x-api-key': apiKey };
      const response = await fetch(`${url}/api/${method}`, { method: 'POST', headers, body: JSON.stringify(body) });
      return response.text();
    };
    const published = await answer('a stored message', async () => {
      const text = await call('publish', { channel: 'room:lobby', data: { content: 'hello there' } });
      return text.includes('offset') ? text : undefined;
    });
    expect(published).toContain('offset');
    expect(await call('history', { channel: 'room:lobby', limit: 10 })).toContain('hello there');
  });

  it('a cache: content through the router, and a purge that its edge acknowledges', async () => {
    const origin = createServer((_, response) => response.end('from the origin')).listen(0, '127.0.0.1');
    const edge = { kind: 'edge', namespace, name: 'frankfurt' } as const;
    const port = await start('edge', 'edge-0', { QUARTET_RESOURCE: edge.name });
    directory.set('edge', edge, {
      ...edge,
      location: { continent: 'EU', country: 'DE', region: '', city: 'Frankfurt', timeZone: '' },
      latitude: 50,
      longitude: 8,
      capacity: { bandwidthMbit: 100, storageBytes: 1e9, connections: 100 },
      cache: { memoryBytes: 64 << 20, defaultTtl: true, policies: [] },
      origins: [{ hosts: ['*'], url: `http://127.0.0.1:${(origin.address() as AddressInfo).port}` }],
      draining: false,
      endpoints: [{ pod: 'edge-0', url: `http://127.0.0.1:${port}` }],
    });
    const router = `http://127.0.0.1:${await start('edge-router', 'router-0', { QUARTET_TRUSTED_PROXIES: '127.0.0.0/8' })}`;
    const content = await answer('content', async () => {
      const response = await fetch(`${router}/page`);
      return response.ok ? response.text() : undefined;
    });
    expect(content).toBe('from the origin');
    const purge = await fetch(`${router}/page`, { method: 'PURGE' });
    expect(purge.status, await purge.text()).toBe(200);
    origin.close();
  });

  test('and the server had nothing to refuse', async () => {
    expect((await nats.violations()).slice(violationsBefore)).toEqual([]);
  });
});
