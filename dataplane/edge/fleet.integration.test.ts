import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EdgeNodeEntry } from '../../contract/directory.ts';
import { startNats, type Nats } from '../../local/nats-server.ts';
import { freePort } from '../../local/processes/ports.ts';
import type { Pod } from '../fabric/pod.ts';
import { putDirectory, testPod } from '../fabric/testing.ts';
import { defaultPolicies } from './policy/content-policy.ts';
import { until } from './testing.ts';

/** Two edges, a router and the site as processes, on a real NATS server. */

const main = new URL('../main.ts', import.meta.url).pathname;
const processes = new Map<string, ChildProcess>();
let dir = '';
let nats: Nats;
let operator: Pod;
let sitePort = 0;
let routerPort = 0;
const edgePorts: Record<string, number> = {};

const base = (): string => `http://127.0.0.1:${routerPort}`;

function run(role: string, name: string, environment: Record<string, string>): void {
  const child = spawn(process.execPath, [main, role], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      PATH: process.env['PATH'],
      QUARTET_NAMESPACE: 'test',
      QUARTET_POD: name,
      QUARTET_POD_IP: '127.0.0.1',
      QUARTET_NODE: 'node-1',
      QUARTET_NATS_URL: nats.url,
      QUARTET_ADMIN_PORT: '0',
      QUARTET_LOG_LEVEL: 'warn',
      ...environment,
    },
  });
  processes.set(name, child);
}

const places = { frankfurt: [50.11, 8.68], tokyo: [35.68, 139.69] } as const;

const entryOf = (name: keyof typeof places): EdgeNodeEntry => ({
  kind: 'edge',
  namespace: 'test',
  name,
  location: { continent: '', country: 'XX', region: '', city: name, timeZone: '' },
  latitude: places[name][0],
  longitude: places[name][1],
  capacity: { bandwidthMbit: 1000, storageBytes: 1e12, connections: 10_000 },
  cache: { memoryBytes: 16 * 1024 * 1024, defaultTtl: true, policies: [...defaultPolicies] },
  origins: [{ hosts: ['*'], url: `http://127.0.0.1:${sitePort}` }],
  draining: false,
  endpoints: [{ pod: `${name}-0`, url: `http://127.0.0.1:${edgePorts[name]}` }],
});

const startEdge = (name: string): void =>
  run('edge', `${name}-0`, { QUARTET_RESOURCE: name, QUARTET_PORT: String(edgePorts[name]) });

const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(base() + path, { headers });
const near = (name: keyof typeof places): Record<string, string> => ({ 'x-client-location': places[name].join(',') });
/** As {@link get} for a client near an edge; asked again where that edge was not heard in time, and another one answered. */
const getNear = (name: keyof typeof places, path: string): Promise<Response> => {
  let response: Response | undefined;
  const fromThere = async (): Promise<boolean> => {
    response = await get(path, near(name));
    return response.headers.get('x-quartet-edge')?.startsWith(name) === true;
  };
  return until(`an answer of ${name}`, fromThere, 20_000).then(() => response as Response);
};
interface Answer {
  readonly acknowledged: readonly { pod: string; removed: number }[];
  readonly missing: readonly unknown[];
}
interface Explanation {
  readonly chosen: string;
  readonly client: unknown;
  readonly candidates: readonly { score: { terms: object } }[];
}
const removedSome = ({ answer }: { answer: Answer }): boolean => answer.acknowledged.some((one) => one.removed > 0);
const purge = async (body: unknown): Promise<{ status: number; answer: Answer }> => {
  const response = await fetch(`${base()}/.quartet/purge`, { method: 'POST', body: JSON.stringify(body) });
  return { status: response.status, answer: (await response.json()) as Answer };
};

async function kill(name: string): Promise<void> {
  const child = processes.get(name);
  if (child === undefined || child.exitCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
  processes.delete(name);
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'quartet-edge-'));
  nats = await startNats({ dir });
  operator = await testPod(nats.url, 'edge');
  sitePort = await freePort();
  routerPort = await freePort();
  for (const name of ['frankfurt', 'tokyo'] as const) {
    edgePorts[name] = await freePort();
    await putDirectory(operator, 'edge', entryOf(name));
  }
  run('site', 'site-0', { QUARTET_PORT: String(sitePort) });
  startEdge('frankfurt');
  startEdge('tokyo');
  run('edge-router', 'router-0', { QUARTET_PORT: String(routerPort), QUARTET_TRUSTED_PROXIES: '127.0.0.0/8' });
  const answersFrom = async (name: keyof typeof places): Promise<boolean> => {
    const answer = await get('/', near(name)).catch(() => undefined);
    return answer?.headers.get('x-quartet-edge')?.startsWith(name) === true;
  };
  const both = async (): Promise<boolean> => (await answersFrom('frankfurt')) && answersFrom('tokyo');
  await until('both edges answer through the router', both, 90_000);
});

afterAll(async () => {
  for (const name of processes.keys()) await kill(name);
  await operator?.stop();
  await nats?.stop();
  await rm(dir, { recursive: true, force: true });
});

describe('edges behind the router', () => {
  it('answers a miss, then a hit with Age, from the edge near the client', async () => {
    const first = await getNear('tokyo', '/images/coast.svg');
    expect(first.status).toBe(200);
    expect(first.headers.get('cache-status')).toMatch(/^tokyo; fwd=uri-miss; fwd-status=200; stored/);
    await first.text();
    const second = await getNear('tokyo', '/images/coast.svg');
    expect(second.headers.get('cache-status')).toMatch(/^tokyo; hit; ttl=\d+/);
    expect(second.headers.get('age')).toMatch(/^\d+$/);
    expect(second.headers.get('x-quartet-edge')).toBe('tokyo/tokyo-0');
  });

  it('gives a silent origin the TTL of the policy table where the resource asks for it', async () => {
    await (await getNear('frankfurt', '/style.css')).text();
    const hit = await getNear('frankfurt', '/style.css');
    expect(hit.headers.get('cache-status')).toMatch(/hit; ttl=8(6400|639\d)/);
  });

  it('explains a decision without carrying it out', async () => {
    const response = await get('/.quartet/route?location=48.1,11.6&path=/a.css');
    const answer = (await response.json()) as Explanation;
    expect(answer.chosen).toBe('frankfurt');
    expect(answer.candidates).toHaveLength(2);
    expect(answer.candidates[0]?.score.terms).toHaveProperty('proximity');
  });

  it('places a client by its address', async () => {
    const response = await get('/.quartet/route?ip=133.11.0.1');
    const answer = (await response.json()) as Explanation;
    expect(answer.client).toMatchObject({ country: 'JP', source: 'geoip' });
    expect(answer.chosen).toBe('tokyo');
  });

  it('purges a URL from every edge and says which did', async () => {
    for (const name of ['frankfurt', 'tokyo'] as const) await (await getNear(name, '/keepers.html')).text();
    const { status, answer } = await purge({ urls: [`${base()}/keepers.html`] });
    expect(status).toBe(200);
    expect(answer.missing).toEqual([]);
    expect(answer.acknowledged.map((one) => [one.pod, one.removed]).sort()).toEqual([
      ['frankfurt-0', 1],
      ['tokyo-0', 1],
    ]);
    const after = await getNear('tokyo', '/keepers.html');
    expect(after.headers.get('cache-status')).toContain('fwd=uri-miss');
  });

  it('purges by tag and by prefix', async () => {
    await (await getNear('tokyo', '/images/beam.svg')).text();
    expect(removedSome(await purge({ tags: ['images'] }))).toBe(true);
    await (await getNear('tokyo', '/images/beam.svg')).text();
    expect(removedSome(await purge({ prefixes: [`${base()}/images/`] }))).toBe(true);
  });

  it('takes PURGE from a trusted proxy', async () => {
    await (await getNear('tokyo', '/signals.html')).text();
    const response = await fetch(`${base()}/signals.html`, { method: 'PURGE' });
    expect(response.status).toBe(200);
  });

  it('goes on with the other edge when one is killed, and names the dead one in purges', async () => {
    await kill('tokyo-0');
    const killed = performance.now();
    const answer = await get('/', near('tokyo'));
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-quartet-edge')).toBe('frankfurt/frankfurt-0');
    expect(performance.now() - killed).toBeLessThan(1_500);
    const { status, answer: outcome } = await purge({ urls: [`${base()}/`] });
    expect(status).toBe(504);
    expect(outcome.missing).toEqual([{ pod: 'tokyo-0', edge: 'tokyo' }]);
    expect(outcome.acknowledged.map((one) => one.pod)).toEqual(['frankfurt-0']);
    startEdge('tokyo');
    await until('the edge is back', async () => {
      const back = await get('/', near('tokyo'));
      return back.headers.get('x-quartet-edge') === 'tokyo/tokyo-0';
    });
  });

  it('serves on while NATS is away, and validates what it holds when NATS is back', async () => {
    await (await getNear('frankfurt', '/robots.txt')).text();
    const [server] = nats.servers;
    server?.kill('SIGKILL');
    await server?.exited;
    const during = await getNear('frankfurt', '/robots.txt');
    expect(during.status).toBe(200);
    expect(during.headers.get('cache-status')).toContain('hit');
    // Longer than silence is tolerated: every edge seems dead to a router that hears nobody.
    for (const until = performance.now() + 2_000; performance.now() < until; await sleep(100)) {
      expect((await get('/', near('frankfurt'))).status).toBe(200);
    }
    await server?.start();
    await until('the edges acknowledge purges again', async () => {
      const { status } = await purge({ urls: [`${base()}/nothing`] }).catch(() => ({ status: 0 }));
      return status === 200;
    });
    await until('what may have missed a purge is validated', async () => {
      const after = await getNear('frankfurt', '/robots.txt');
      return after.headers.get('cache-status')?.includes('fwd-status=304') === true;
    });
  });

  it('answers 503 with Retry-After when every edge is dead', async () => {
    await kill('tokyo-0');
    await kill('frankfurt-0');
    const answer = await get('/', near('tokyo'));
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('1');
  });
});
