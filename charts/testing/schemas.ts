import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { customResourceDefinition } from '../../crds/definition.ts';
import { kinds } from '../../crds/kinds.ts';

type Schema = { readonly [key: string]: unknown };

const isSchema = (value: unknown): value is Schema => typeof value === 'object' && value !== null;

/** Fields that a schema does not name are refused, as kubectl's strict validation does. */
const strict = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(strict);
  if (!isSchema(value)) return value;
  const inner = Object.fromEntries(Object.entries(value).map(([key, field]) => [key, strict(field)]));
  const closed = isSchema(value['properties']) && value['additionalProperties'] === undefined;
  return closed ? { ...inner, additionalProperties: false } : inner;
};

/** `deployment-apps-v1.json`, the name under which kubeconform looks for a schema. */
const fileOf = (kind: string, group: string, version: string): string =>
  `${[kind.toLowerCase(), ...(group === '' ? [] : [group.split('.')[0]]), version].join('-')}.json`;

/** From the names that Kubernetes' specification gives to its schemas. */
const groups: Readonly<Record<string, string>> = { core: '', apiextensions: 'apiextensions' };

const writeBuiltIn = async (dir: string): Promise<void> => {
  const text = await readFile(join(import.meta.dirname, 'kubernetes-schemas.json'), 'utf8');
  const definitions = JSON.parse(text) as Record<string, Schema>;
  for (const [name, definition] of Object.entries(definitions)) {
    const { properties } = definition;
    if (!isSchema(properties) || !('kind' in properties && 'metadata' in properties)) continue;
    const [kind = '', version = '', group = ''] = name.split('.').toReversed();
    const schema = { $ref: `#/definitions/${name}`, definitions };
    await writeFile(join(dir, fileOf(kind, groups[group] ?? group, version)), JSON.stringify(schema));
  }
};

const writeOurs = async (dir: string): Promise<void> => {
  for (const kind of kinds) {
    const { spec } = customResourceDefinition(kind);
    for (const version of spec.versions) {
      const schema = strict(version.schema.openAPIV3Schema) as { readonly properties: Schema };
      const properties = {
        ...schema.properties,
        apiVersion: { type: 'string' },
        kind: { type: 'string' },
        metadata: { type: 'object' },
      };
      const file = fileOf(spec.names.kind, spec.group, version.name);
      await writeFile(join(dir, file), JSON.stringify({ ...schema, properties }));
    }
  }
};

/**
 * Writes a JSON schema per kind that charts and samples may use into a folder, and answers where kubeconform finds them:
 * Kubernetes' own (`hack/kube-schemas.ts`) and ours.
 */
export const writeSchemas = async (dir: string): Promise<string> => {
  await mkdir(dir, { recursive: true });
  await writeBuiltIn(dir);
  await writeOurs(dir);
  return `${dir}/{{ .ResourceKind }}{{ .KindSuffix }}.json`;
};
