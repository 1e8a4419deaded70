import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { tool } from '../local/tools.ts';
import { parseSettings } from '../operator/settings.ts';

interface Rendered {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly rules?: readonly {
    readonly apiGroups: string[];
    readonly resources: string[];
    readonly verbs: string[];
    readonly resourceNames?: string[];
  }[];
  readonly spec?: {
    readonly replicas?: number;
    readonly template?: {
      readonly spec: {
        readonly containers: {
          readonly image: string;
          readonly env: { readonly name: string; readonly value?: string }[];
        }[];
      };
    };
  };
}

const run = promisify(execFile);
const chart = join(import.meta.dirname, 'quartet');
const nats = 'nats.enabled=false,nats.external.url=nats://n1:4222\\,nats://n2:4222';

let home: string;
let helm: string;

const call = async (...args: string[]): Promise<string> => {
  const env = { ...process.env, HELM_CACHE_HOME: home, HELM_CONFIG_HOME: home, HELM_DATA_HOME: home };
  return (await run(helm, args, { env })).stdout;
};

const render = async (...sets: string[]): Promise<Rendered[]> => {
  const flags = [nats, ...sets].flatMap((set) => ['--set', set]);
  const text = await call('template', 'quartet', chart, '--kube-version', '1.34.0', '-n', 'quartet-system', ...flags);
  return parseAllDocuments(text)
    .map((document) => document.toJS() as Rendered | null)
    .filter((object) => object !== null);
};

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'quartet-helm-'));
  helm = await tool('helm');
}, 900_000);
afterAll(() => rm(home, { recursive: true, force: true }));

describe('the chart', () => {
  it('passes helm lint', async () => {
    expect(await call('lint', chart, '--set', nats)).toMatch(/0 chart\(s\) failed/);
  });

  it('gives the operator an environment that it accepts', async () => {
    const deployment = (await render('gateways.replicas=3', 'chat.development=true')).find(
      ({ kind }) => kind === 'Deployment',
    );
    const env = deployment?.spec?.template?.spec.containers[0]?.env ?? [];
    const settings = parseSettings(Object.fromEntries(env.map(({ name, value }) => [name, value])));
    expect(settings).toMatchObject({
      nats: { url: 'nats://n1:4222,nats://n2:4222', replicas: 1 },
      image: 'quartet:0.1.0',
      gatewayReplicas: 3,
      chatDevelopment: true,
    });
  });

  it('grants nothing by wildcard, and Secrets by name only', async () => {
    const rules = (await render()).flatMap(({ kind, rules: granted = [] }) => (kind.endsWith('Role') ? granted : []));
    expect(rules.length).toBeGreaterThan(5);
    for (const { apiGroups, resources, verbs, resourceNames } of rules) {
      expect([...apiGroups, ...resources, ...verbs]).not.toContain('*');
      if (resources.includes('secrets') && !verbs.includes('create')) expect(resourceNames).not.toHaveLength(0);
    }
  });

  it('installs the definitions as templates, so that an upgrade upgrades them, unless told not to', async () => {
    const count = (objects: Rendered[]) => objects.filter(({ kind }) => kind === 'CustomResourceDefinition').length;
    expect(count(await render())).toBe(4);
    expect(count(await render('crds.install=false'))).toBe(0);
  });

  test.each([
    ['no operator', 'replicas=0', /replicas/],
    ['NATS over HTTP', 'nats.external.url=http://n', /nats\/external\/url|nats\.external\.url/],
    ['two copies of streams', 'nats.external.replicas=2', /replicas/],
    ['a service type that does not exist', 'service.type=Tunnel', /service/],
    ['a value that does not exist', 'gatways.replicas=2', /gatways/],
  ])('refuses %s', async (_, set, message) => {
    await expect(render(set)).rejects.toThrow(message);
  });
});
