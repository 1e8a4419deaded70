/**
 * Takes the schemas of the Kubernetes kinds that charts and samples use from the Go module that also builds the control
 * plane, so that they fit its version, and writes them to `charts/testing/kubernetes-schemas.json`:
 * `node hack/kube-schemas.ts`, after a new version in hack/tools/go.mod. Without descriptions, and strict: a field that
 * Kubernetes does not know is an error.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toolsModule } from '../local/tools.ts';

type Json = { readonly [key: string]: unknown };

const kinds: Readonly<Record<string, readonly string[]>> = {
  api__v1: ['ConfigMap', 'Namespace', 'Pod', 'Secret', 'Service', 'ServiceAccount'].map((it) => `core.v1.${it}`),
  apis__apps__v1: ['apps.v1.Deployment', 'apps.v1.StatefulSet'],
  apis__policy__v1: ['policy.v1.PodDisruptionBudget'],
  'apis__coordination.k8s.io__v1': ['coordination.v1.Lease'],
  'apis__networking.k8s.io__v1': ['networking.v1.NetworkPolicy'],
  'apis__rbac.authorization.k8s.io__v1': ['ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding'].map(
    (it) => `rbac.v1.${it}`,
  ),
  'apis__apiextensions.k8s.io__v1': ['apiextensions.v1.CustomResourceDefinition'],
};

const reference = '#/components/schemas/';

/** `apps.v1.Deployment` as the specification names it. */
const fullName = (name: string): string =>
  name.startsWith('apiextensions.') ? `io.k8s.apiextensions-apiserver.pkg.apis.${name}` : `io.k8s.api.${name}`;

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null;

/** What a validator of files has no use for. */
const isDropped = (key: string): boolean =>
  key.startsWith('x-kubernetes') || key === 'description' || key === 'default';

const mapValues = (value: Json, map: (inner: unknown) => unknown): Json =>
  Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, map(inner)]));

const translateField = (key: string, value: unknown): unknown => {
  if (key === '$ref') return String(value).replace(reference, '#/definitions/');
  // here the keys are names of fields, whatever they look like
  if (key === 'properties' && isObject(value)) return mapValues(value, translate);
  return translate(value);
};

/** The schema for a validator of files: references into `definitions`, unknown fields refused. */
const translate = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(translate);
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter(([key]) => !isDropped(key));
  const out = Object.fromEntries(kept.map(([key, inner]) => [key, translateField(key, inner)]));
  const closed = isObject(out['properties']) && out['additionalProperties'] === undefined;
  return closed ? { ...out, additionalProperties: false } : out;
};

const reachable = (name: string, all: Json, into: Map<string, unknown>): void => {
  if (into.has(name)) return;
  const schema = translate(all[name]);
  into.set(name, schema);
  for (const [, next = ''] of JSON.stringify(schema).matchAll(/"#\/definitions\/([^"]+)"/g)) reachable(next, all, into);
};

const module = execFileSync('go', ['list', '-m', '-f', '{{.Dir}}', 'k8s.io/kubernetes'], {
  cwd: toolsModule,
  encoding: 'utf8',
}).trim();

const definitions = new Map<string, unknown>();
for (const [file, names] of Object.entries(kinds)) {
  const text = readFileSync(join(module, 'api/openapi-spec/v3', `${file}_openapi.json`), 'utf8');
  const { components } = JSON.parse(text) as { components: { schemas: Json } };
  for (const name of names) reachable(fullName(name), components.schemas, definitions);
}
const sorted = Object.fromEntries([...definitions].toSorted(([a], [b]) => (a < b ? -1 : 1)));
const target = join(import.meta.dirname, '..', 'charts', 'testing', 'kubernetes-schemas.json');
writeFileSync(target, `${JSON.stringify(sorted)}\n`);
