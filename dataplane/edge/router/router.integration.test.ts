import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EdgeNodeEntry } from '../../../contract/directory.ts';
import type { Heartbeat } from '../../../contract/heartbeat.ts';
import { defaultPolicies } from '../policy/content-policy.ts';
import { createHttpServer, listen } from '../serve/http-server.ts';
import { OriginPools } from '../serve/origin-exchange.ts';
import { freePort } from '../../../local/processes/ports.ts';
import { ask } from '../testing.ts';
import { Fleet } from './fleet.ts';
import { GeoIp } from './geoip.ts';
import { Router, type RouterOptions } from './router.ts';
import { TrustedProxies } from './trusted-proxies.ts';

/** A router in this process, in front of two edges that only say who they are. */

const places = { near: [50, 8], far: [35, 139] } as const;
type Name = keyof typeof places;

const servers: Server[] = [];
let entries: Map<string, EdgeNodeEntry>;
let silent: Set<string>;
let pools: OriginPools;
let url = '';

const entry = (name: Name, port: number): EdgeNodeEntry => ({
  kind: 'edge',
  namespace: 'test',
  name,
  location: { continent: '', country: 'XX', region: '', city: '', timeZone: '' },
  latitude: places[name][0],
  longitude: places[name][1],
  capacity: { bandwidthMbit: 1000, storageBytes: 1e12, connections: 10_000 },
  cache: { memoryBytes: 1, defaultTtl: false, policies: [...defaultPolicies] },
  origins: [],
  draining: false,
  endpoints: [{ pod: `${name}-0`, url: `http://127.0.0.1:${port}` }],
});

const beat = (pod: string): Heartbeat => ({
  pod,
  role: 'edge',
  node: 'n',
  resource: pod,
  incarnation: '1',
  at: 0,
  load: {},
  edge: { requestsPerSecond: 0, mbitPerSecond: 0, connections: 0, hitRate: 0, storedBytes: 0 },
});

const startRouter = async (options: Partial<RouterOptions> = {}): Promise<void> => {
  const heartbeats = {
    get: (pod: string) => ({ beat: beat(pod), receivedAt: 0 }),
    alive: (pod: string) => !silent.has(pod),
  };
  const router = new Router({
    fleet: new Fleet(() => entries, heartbeats),
    pools,
    geoip: new GeoIp(),
    trusted: new TrustedProxies('127.0.0.0/8'),
    mode: 'proxy',
    strategy: 'geo-score',
    purge: (_message, response) => void response.end('purged'),
    ...options,
  });
  const server = createHttpServer((message, response) => router.handle(message, response));
  servers.push(server);
  url = `http://127.0.0.1:${await listen(server, '127.0.0.1', 0)}`;
};

const startEdge = async (name: Name): Promise<void> => {
  const server = createServer((message, response) => {
    let body = '';
    message.on('data', (chunk) => (body += chunk));
    message.on('end', () => {
      response.setHeader('X-Seen', JSON.stringify(message.headers));
      response.end(`${name} ${body}`);
    });
  });
  servers.push(server);
  entries.set(name, entry(name, await listen(server, '127.0.0.1', 0)));
};

const at = (name: Name): Record<string, string> => ({ 'x-client-location': places[name].join(',') });

beforeEach(async () => {
  entries = new Map();
  silent = new Set();
  pools = new OriginPools();
  await startEdge('near');
  await startEdge('far');
});

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  await pools.close();
});

describe('proxying', () => {
  it('passes requests with their bodies to the edge near the client', async () => {
    await startRouter();
    const answer = await ask(`${url}/x`, { method: 'POST', body: 'hello', headers: at('far') });
    expect(answer.body).toBe('far hello');
  });

  it('tells the edge who the client is, and keeps the hints for itself', async () => {
    await startRouter();
    const answer = await ask(`${url}/`, {
      headers: { ...at('near'), 'x-forwarded-for': '203.0.113.5', host: 'a.example' },
    });
    const seen = JSON.parse(String(answer.headers['x-seen'])) as Record<string, string>;
    expect(seen['x-forwarded-for']).toBe('203.0.113.5, 127.0.0.1');
    expect(seen['host']).toBe('a.example');
    expect(seen['x-client-location']).toBeUndefined();
  });

  it('goes to another edge when one refuses connections, and leaves that one alone for a while', async () => {
    await startRouter();
    entries.set('near', entry('near', await freePort()));
    expect((await ask(`${url}/`, { headers: at('near') })).body).toBe('far ');
    const explained = await ask(`${url}/.quartet/route?location=50,8`);
    expect(JSON.parse(explained.body)).toMatchObject({
      chosen: 'far',
      candidates: [
        { name: 'near', gate: 'unreachable' },
        { name: 'far', gate: 'ok' },
      ],
    });
  });

  it('tries another edge for a POST only when nothing of it was sent', async () => {
    await startRouter();
    entries.set('near', entry('near', await freePort()));
    const answer = await ask(`${url}/`, { method: 'POST', body: 'once', headers: at('near') });
    expect([200, 502]).toContain(answer.status);
    if (answer.status === 200) expect(answer.body).toBe('far once');
  });

  it('skips an edge that fell silent', async () => {
    await startRouter();
    silent.add('near-0');
    expect((await ask(`${url}/`, { headers: at('near') })).body).toBe('far ');
  });

  it('answers 503 with Retry-After when no edge is left', async () => {
    await startRouter();
    for (const name of ['near', 'far'] as const) entries.set(name, entry(name, await freePort()));
    const answer = await ask(`${url}/`);
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1']);
    entries.clear();
    expect((await ask(`${url}/`)).status).toBe(503);
  });
});

describe('redirecting', () => {
  it('sends the client to the edge, with its method', async () => {
    await startRouter({ mode: 'redirect' });
    const get = await ask(`${url}/a?b`, { headers: at('near') });
    expect([get.status, get.headers['location']]).toEqual([302, `${entries.get('near')?.endpoints[0]?.url}/a?b`]);
    expect((await ask(`${url}/a`, { method: 'POST', body: 'x', headers: at('near') })).status).toBe(307);
  });
});

describe('explaining', () => {
  it('shows the decision instead of carrying it out when a header asks', async () => {
    await startRouter();
    const answer = await ask(`${url}/a.css`, { headers: { ...at('near'), 'x-quartet-explain': '1' } });
    expect(JSON.parse(answer.body)).toMatchObject({
      chosen: 'near',
      contentClass: 'css',
      client: { source: 'x-client-location' },
    });
  });

  it('takes places and addresses from strangers for what they are', async () => {
    await startRouter({ trusted: new TrustedProxies('') });
    const headers = { ...at('near'), 'x-forwarded-for': '133.11.0.1', 'x-quartet-explain': '1' };
    const { client } = JSON.parse((await ask(`${url}/`, { headers })).body) as { client: unknown };
    expect(client).toEqual({ address: '127.0.0.1', source: 'unknown' });
  });
});

describe('what belongs to the router', () => {
  it('lets only trusted peers purge', async () => {
    await startRouter({ trusted: new TrustedProxies('10.0.0.0/8') });
    expect((await ask(`${url}/x`, { method: 'PURGE' })).status).toBe(403);
    expect((await ask(`${url}/.quartet/purge`, { method: 'POST', body: '{}' })).status).toBe(403);
  });

  it('answers paths that it does not know with 404, and never passes them on', async () => {
    await startRouter();
    expect((await ask(`${url}/.quartet/other`)).status).toBe(404);
  });
});
