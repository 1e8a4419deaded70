import { z } from 'zod';
import { rules, type CelRule } from './cel.ts';
import { group, version, type Kind } from './kind.ts';

type Json = Record<string, unknown>;

/**
 * Writes the defaults of an object's properties into the object's own default: the API server checks CEL rules against
 * a default as it stands, before it fills in anything below.
 */
const withWholeDefaults = (schema: Json): Json => {
  const result: Json = { ...schema };
  if (schema['items']) result['items'] = withWholeDefaults(schema['items'] as Json);
  if (!schema['properties']) return result;
  const properties = Object.entries(schema['properties'] as Record<string, Json>).map(
    ([name, property]) => [name, withWholeDefaults(property)] as const,
  );
  result['properties'] = Object.fromEntries(properties);
  if (schema['default'] === undefined) return result;
  const defaults = properties.flatMap(([name, { default: value }]) => (value === undefined ? [] : [[name, value]]));
  result['default'] = { ...(Object.fromEntries(defaults) as Json), ...(schema['default'] as Json) };
  return result;
};

/** The structural schema of a zod schema; defaults stay optional, since the API server fills them in. */
const structural = (schema: z.ZodType): Json =>
  withWholeDefaults(z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input', reused: 'inline' }) as Json);

const nameRule: CelRule = {
  rule: "self.metadata.name.size() <= 40 && self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",
  message:
    'metadata.name must be a DNS label of at most 40 characters, without dots: pods, streams and subjects are named after it',
};

const schema = (kind: Kind): Json => ({
  type: 'object',
  description: kind.description,
  required: ['spec'],
  ...rules(nameRule, ...(kind.rules ?? [])),
  properties: {
    apiVersion: { type: 'string' },
    kind: { type: 'string' },
    metadata: { type: 'object' },
    spec: { description: 'What should be.', ...structural(kind.spec) },
    status: { description: 'What is, as the operator saw it last.', ...structural(kind.status) },
  },
});

const subresources = (kind: Kind): Json => ({
  status: {},
  ...(kind.scale && {
    scale: {
      specReplicasPath: '.spec.replicas',
      statusReplicasPath: '.status.replicas',
      labelSelectorPath: '.status.selector',
    },
  }),
});

/** The CustomResourceDefinition of a kind. */
export const customResourceDefinition = (kind: Kind): Json => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${kind.plural}.${group}` },
  spec: {
    group,
    scope: 'Namespaced',
    names: {
      kind: kind.kind,
      listKind: `${kind.kind}List`,
      plural: kind.plural,
      singular: kind.singular,
      shortNames: kind.shortNames,
      categories: ['quartet'],
    },
    versions: [
      {
        name: version,
        served: true,
        storage: true,
        schema: { openAPIV3Schema: schema(kind) },
        subresources: subresources(kind),
        additionalPrinterColumns: kind.columns,
      },
    ],
  },
});
