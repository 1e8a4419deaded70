import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { generatedFiles } from './generate.ts';
import { chartDir, helm, objectsOf, render, renderText, type Rendered } from './testing/helm.ts';
import { writeSchemas } from './testing/schemas.ts';
import { tool } from '../local/tools.ts';

/** Ways to install, each with what differs. */
const installations: readonly (readonly [what: string, sets: readonly string[]])[] = [
  ['as it comes', []],
  ['with one NATS', ['nats.replicas=1']],
  ['with TLS', ['nats.tls.enabled=true']],
  ['with TLS by a Secret of its own', ['nats.tls.enabled=true', 'nats.tls.existingSecret=mine']],
  ['with passwords of its own', ['nats.existingSecret=mine']],
  [
    'with a NATS elsewhere',
    [
      'nats.enabled=false',
      'nats.external.url=tls://n:4222',
      'nats.external.monitors[0]=http://n:8222',
      'nats.external.monitors[1]=https://m',
      'nats.external.existingSecret=a',
      'nats.external.caSecret=b',
    ],
  ],
  ['without policies and definitions', ['networkPolicies.enabled=false', 'crds.install=false', 'replicas=1']],
  ['with monitoring', ['monitoring.enabled=true', 'monitoring.labels.release=prometheus']],
  [
    'with everything that places pods',
    [
      'imagePullSecrets[0].name=registry',
      'priorityClassName=system-cluster-critical',
      'nodeSelector.disk=ssd',
      'nats.nodeSelector.disk=ssd',
      'podLabels.team=data',
      'storageClass=fast',
      'nats.maxFileStore=8GB',
      'networkPolicies.monitoringNamespace=monitoring',
      'router.trustedProxies[0]=10.0.0.0/8',
    ],
  ],
];

/** Their definitions come with the Prometheus operator; the rules' content is tested below. */
const notOurs = 'PodMonitor,PrometheusRule';

interface PodSpec {
  readonly automountServiceAccountToken?: boolean;
  readonly securityContext?: { readonly runAsNonRoot?: boolean; readonly seccompProfile?: { readonly type: string } };
  readonly hostNetwork?: boolean;
  readonly volumes?: readonly Readonly<Record<string, unknown>>[];
  readonly containers: readonly {
    readonly resources?: { readonly requests?: object };
    readonly securityContext?: {
      readonly allowPrivilegeEscalation?: boolean;
      readonly readOnlyRootFilesystem?: boolean;
      readonly capabilities?: { readonly drop?: readonly string[] };
    };
  }[];
}

type Workload = Rendered & { readonly spec?: PodSpec & { readonly template?: { readonly spec: PodSpec } } };

let dir: string;
let schemas: string;
let kubeconform: string;

/** What kubeconform says about resources; empty when all are valid. */
const problemsOf = (yaml: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const flags = ['-strict', '-schema-location', schemas, '-skip', notOurs, '-output', 'text'];
    const child = spawn(kubeconform, flags, { stdio: ['pipe', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
    child.once('error', reject).once('close', (code) => resolve(code === 0 ? '' : said));
    child.stdin.end(yaml);
  });

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'quartet-schemas-'));
  schemas = await writeSchemas(dir);
  kubeconform = await tool('kubeconform');
}, 60_000);
afterAll(() => rm(dir, { recursive: true, force: true }));

describe.each(installations)('installed %s', (_, sets) => {
  let text: string;
  let objects: Workload[];
  beforeAll(async () => {
    text = await renderText('quartet', sets);
    objects = objectsOf<Workload>(text);
  });

  it('is what Kubernetes takes, to the last field', async () => {
    expect(await problemsOf(text)).toBe('');
  });

  it('runs no pod that Pod Security "restricted" would refuse, and none that writes to its image', () => {
    const pods = objects.flatMap(({ kind, spec }) =>
      spec === undefined ? [] : kind === 'Pod' ? [spec] : spec.template ? [spec.template.spec] : [],
    );
    expect(pods.length).toBeGreaterThan(1);
    for (const pod of pods) {
      expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
      expect(pod.hostNetwork).toBeUndefined();
      const kinds = (pod.volumes ?? []).flatMap((volume) => Object.keys(volume)).filter((key) => key !== 'name');
      expect(['configMap', 'secret', 'emptyDir', 'persistentVolumeClaim']).toEqual(expect.arrayContaining(kinds));
      for (const container of pod.containers) {
        expect(container.securityContext).toMatchObject({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
        expect(container.resources?.requests).toBeDefined();
      }
    }
  });

  it('says who made each object', () => {
    for (const { kind, metadata } of objects) {
      if (kind === 'CustomResourceDefinition') continue;
      expect(metadata.labels, `${kind} ${metadata.name}`).toMatchObject({ 'app.kubernetes.io/part-of': 'quartet' });
    }
  });
});

it('quartet-crds holds the same definitions', async () => {
  const definitions = async (chart: string): Promise<Rendered[]> =>
    (await render(chart)).filter(({ kind }) => kind === 'CustomResourceDefinition');
  expect(await definitions('quartet-crds')).toEqual(await definitions('quartet'));
  expect(await problemsOf(await renderText('quartet-crds', []))).toBe('');
});

test.each(['quartet', 'quartet-crds'])('%s passes helm lint, strictly', async (chart) => {
  expect(await helm('lint', '--strict', chartDir(chart))).toMatch(/0 chart\(s\) failed/);
});

it('the samples are what Kubernetes and our definitions take', async () => {
  const folder = join(import.meta.dirname, '../crds/samples');
  const texts = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8')));
  expect(await problemsOf(texts.join('\n---\n'))).toBe('');
});

it('kubeconform would find a field that does not exist', async () => {
  const wrong = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\ndatta: {}\n';
  expect(await problemsOf(wrong)).toMatch(/datta/);
  const ours = 'apiVersion: quartet.dev/v1alpha1\nkind: ChatRoom\nmetadata: { name: a }\nspec: { maxMember: 3 }\n';
  expect(await problemsOf(ours)).toMatch(/maxMember/);
});

it('what is generated is not stale', async () => {
  for (const [path, content] of generatedFiles()) {
    expect(await readFile(join(import.meta.dirname, '..', path), 'utf8'), `${path}: run node charts/generate.ts`).toBe(
      content,
    );
  }
});

interface ValueSchema {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, ValueSchema>>;
  readonly items?: ValueSchema;
  readonly additionalProperties?: unknown;
}

test.each(['quartet', 'quartet-crds'])('%s describes each value, and refuses others', async (chart) => {
  const schema = JSON.parse(await readFile(join(chartDir(chart), 'values.schema.json'), 'utf8')) as ValueSchema;
  const visit = (path: string, value: ValueSchema): void => {
    if (path !== '') expect(value.description, path).toMatch(/\.$/);
    if (value.properties) expect(value.additionalProperties, path).toBe(false);
    for (const [name, inner] of Object.entries(value.properties ?? {})) visit(`${path}.${name}`, inner);
    if (value.items) visit(`${path}[]`, value.items);
  };
  visit('', schema);
});

it('alerts on metrics that operators and pods really have, or that Kubernetes has', async () => {
  const grep = (name: string): Promise<boolean> =>
    new Promise((resolve) => {
      const folders = ['operator', 'dataplane'].map((folder) => join(import.meta.dirname, '..', folder));
      execFile('grep', ['-rqF', `'${name}'`, ...folders], (error) => resolve(error === null));
    });
  type Rules = Rendered & {
    readonly spec: { readonly groups: { readonly rules: { alert: string; expr: string }[] }[] };
  };
  const objects = await render<Rules>('quartet', ['monitoring.enabled=true']);
  const rules = objects
    .filter(({ kind }) => kind === 'PrometheusRule')
    .flatMap(({ spec }) => spec.groups[0]?.rules ?? []);
  expect(rules.length).toBeGreaterThan(8);
  for (const { alert, expr } of rules) {
    const names = expr.match(/\b[a-z]+(_[a-z]+){2,}(?=[{\s[)<>]|$)/g) ?? [];
    const metrics = names.filter((name) => !/^(kube_|kubelet_|app_kubernetes|label_app)/.test(name));
    for (const name of metrics) expect(await grep(name.replace(/_bucket$/, '')), `${alert}: ${name}`).toBe(true);
    expect(names.length, alert).toBeGreaterThan(0);
  }
});
