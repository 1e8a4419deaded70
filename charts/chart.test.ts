import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { tool } from '../local/tools.ts';
import { parseSettings, type Settings } from '../operator/settings.ts';

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
    readonly egress?: readonly { readonly ports: readonly { readonly port: number }[] }[];
    readonly template?: {
      readonly spec: {
        readonly containers: {
          readonly image: string;
          readonly env: {
            readonly name: string;
            readonly value?: string;
            readonly valueFrom?: { readonly secretKeyRef?: object };
          }[];
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

/** The operator's settings, as it would read them. */
const settingsOf = (objects: readonly Rendered[]): Settings => {
  const deployment = objects.find(({ kind }) => kind === 'Deployment');
  const env = deployment?.spec?.template?.spec.containers[0]?.env ?? [];
  const values = env.map(({ name, value, valueFrom }) => [name, valueFrom?.secretKeyRef ? 'secret' : value]);
  return parseSettings(Object.fromEntries(values));
};

/** Ports that the operator may reach. */
const portsOut = (objects: readonly Rendered[]): number[] => {
  const policy = objects.find(({ kind, metadata }) => kind === 'NetworkPolicy' && metadata.name === 'quartet-operator');
  return (policy?.spec?.egress ?? []).flatMap(({ ports }) => ports.map(({ port }) => port));
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
    expect(settingsOf(await render('gateways.replicas=3', 'chat.development=true'))).toMatchObject({
      nats: { url: 'nats://n1:4222,nats://n2:4222', replicas: 1 },
      image: 'quartet:0.1.0',
      gatewayReplicas: 3,
      chatDevelopment: true,
    });
  });

  it('tells the operator the monitors of all servers, and lets it reach them', async () => {
    const own = await render('nats.enabled=true', 'nats.external.url=', 'networkPolicies.monitoringNamespace=other');
    const monitors = [0, 1, 2].map((i) => `http://quartet-nats-${i}.quartet-nats-headless.quartet-system.svc:8222`);
    expect(settingsOf(own).nats.monitors).toEqual(monitors);
    expect(portsOut(own)).toEqual([443, 6443, 53, 53, 4222, 8222]);
    const elsewhere = await render(
      'nats.external.monitors[0]=http://a:18222/',
      'nats.external.monitors[1]=http://b:18222',
      'nats.external.monitors[2]=https://c',
    );
    expect(settingsOf(elsewhere).nats.monitors).toEqual(['http://a:18222/', 'http://b:18222', 'https://c']);
    expect(portsOut(elsewhere)).toEqual([443, 6443, 53, 53, 4222, 18222, 443]);
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
    expect(count(await render())).toBe(5);
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
