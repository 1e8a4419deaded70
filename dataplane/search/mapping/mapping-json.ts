import { z } from 'zod';
import type { AnalyzerName } from '../analysis/analyzer.ts';
import { badRequest } from '../search-error.ts';
import { type FieldMapping, fieldTypes, type FieldType } from './field-mapping.ts';
import type { Dynamic, MappingsData } from './mappings.ts';

/** OpenSearch's names of analyzers that we have. */
const analyzerAliases: Readonly<Record<string, AnalyzerName>> = {
  english: 'english',
  plain: 'plain',
  standard: 'plain',
};

const deepest = 20;

const fieldJson = z.looseObject({
  type: z.string().optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  fields: z.record(z.string(), z.unknown()).optional(),
  analyzer: z.string().optional(),
  ignore_above: z.number().int().nonnegative().optional(),
  index: z.union([z.boolean(), z.enum(['true', 'false'])]).optional(),
});
type FieldJson = z.infer<typeof fieldJson>;

const mappingsJson = z.looseObject({
  dynamic: z.union([z.boolean(), z.enum(['true', 'false', 'strict'])]).optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
});

const knownParameters = new Set(['type', 'properties', 'fields', 'analyzer', 'ignore_above', 'index']);
const knownTop = new Set(['dynamic', 'properties']);

const refused = (reason: string): Error => badRequest('mapper_parsing_exception', reason);

function checkParameters(json: FieldJson, path: string, type: string): void {
  for (const name of Object.keys(json)) {
    if (!knownParameters.has(name)) {
      throw refused(`unknown parameter [${name}] on mapper [${path}] of type [${type}]`);
    }
  }
}

function analyzerIn(json: FieldJson, path: string): AnalyzerName | undefined {
  if (json.analyzer === undefined || json.analyzer === 'default') return undefined;
  const analyzer = analyzerAliases[json.analyzer];
  if (analyzer === undefined) {
    throw refused(`analyzer [${json.analyzer}] has not been configured in mappings of field [${path}]`);
  }
  return analyzer;
}

/** One field without its sub-fields. */
function leaf(json: FieldJson, path: string, of: string | undefined): FieldMapping {
  const type = json.type ?? 'object';
  if (!(fieldTypes as readonly string[]).includes(type)) {
    throw refused(`No handler for type [${type}] declared on field [${path}]`);
  }
  checkParameters(json, path, type);
  const analyzer = analyzerIn(json, path);
  return {
    path,
    type: type as FieldType,
    ...(analyzer !== undefined && { analyzer }),
    ...(json.ignore_above !== undefined && { ignoreAbove: json.ignore_above }),
    ...((json.index === false || json.index === 'false') && { index: false as const }),
    ...(of !== undefined && { of }),
  };
}

function checkName(name: string, path: string, depth: number): void {
  if (depth > deepest) throw refused(`Limit of mapping depth [${deepest}] has been exceeded`);
  if (name === '' || name === '__proto__' || name.startsWith('.') || name.endsWith('.')) {
    throw refused(`field name [${path}] is not valid`);
  }
}

function parseSubField(name: string, value: unknown, of: string): FieldMapping {
  const json = fieldJson.safeParse(value);
  if (!json.success) throw refused(`field [${of}.${name}] is malformed`);
  return leaf(json.data, `${of}.${name}`, of);
}

function parseField(name: string, value: unknown, parent: string, depth: number): FieldMapping[] {
  const path = parent === '' ? name : `${parent}.${name}`;
  checkName(name, path, depth);
  const parsed = fieldJson.safeParse(value);
  if (!parsed.success) throw refused(`Expected map for property [fields] on field [${path}] but got something else`);
  const json = parsed.data;
  if (json.properties !== undefined || json.type === 'object') {
    return Object.entries(json.properties ?? {}).flatMap(([child, of]) => parseField(child, of, path, depth + 1));
  }
  const subFields = Object.entries(json.fields ?? {}).map(([child, sub]) => parseSubField(child, sub, path));
  return [leaf(json, path, undefined), ...subFields];
}

/** Reads the body of `PUT _mapping` or the `mappings` of an index. Throws bad-request. */
export function parseMappings(value: unknown): MappingsData & { readonly dynamicGiven: boolean } {
  const parsed = mappingsJson.safeParse(value ?? {});
  if (!parsed.success) throw refused('Failed to parse mapping: expected an object with [properties]');
  for (const name of Object.keys(parsed.data)) {
    if (!knownTop.has(name)) {
      throw refused(`Root mapping definition has unsupported parameters: [${name}]`);
    }
  }
  const fields = Object.entries(parsed.data.properties ?? {}).flatMap(([name, of]) => parseField(name, of, '', 1));
  const { dynamic } = parsed.data;
  return { dynamic: String(dynamic ?? 'true') as Dynamic, fields, dynamicGiven: dynamic !== undefined };
}

type Json = Record<string, unknown>;

function leafJson(field: FieldMapping): Json {
  return {
    type: field.type,
    ...(field.analyzer !== undefined && { analyzer: field.analyzer }),
    ...(field.ignoreAbove !== undefined && { ignore_above: field.ignoreAbove }),
    ...(field.index === false && { index: false }),
  };
}

/** Puts a field into the tree of objects that its dotted name describes. */
function plant(root: Json, path: string, json: Json): void {
  let properties = root;
  const parts = path.split('.');
  for (const part of parts.slice(0, -1)) {
    const object = (properties[part] ??= { properties: {} }) as { properties: Json };
    ({ properties } = object);
  }
  properties[parts.at(-1) ?? ''] = json;
}

/** The mappings as `GET _mapping` shows them. */
export function mappingsToJson({ dynamic, fields }: MappingsData): Json {
  const root: Json = {};
  const byPath = new Map<string, Json>();
  for (const field of fields.filter(({ of }) => of === undefined)) {
    const json = leafJson(field);
    plant(root, field.path, json);
    byPath.set(field.path, json);
  }
  for (const field of fields) {
    const parent = byPath.get(field.of ?? '');
    if (parent === undefined || field.of === undefined) continue;
    const subFields = (parent['fields'] ??= {}) as Json;
    subFields[field.path.slice(field.of.length + 1)] = leafJson(field);
  }
  return {
    ...(dynamic !== 'true' && { dynamic }),
    ...(Object.keys(root).length > 0 && { properties: root }),
  };
}
