import type { SourceFilter } from '../query/parse-source-filter.ts';
import { matchesWildcard } from './wildcard.ts';

type Json = Record<string, unknown>;

/** A pattern selects what it names and everything below. */
const selects = (patterns: readonly string[], path: string): boolean =>
  patterns.some((pattern) => matchesWildcard(pattern, path) || matchesWildcard(`${pattern}.*`, path));

/** Whether something below the path may be selected. */
const leadsTo = (patterns: readonly string[], path: string): boolean =>
  patterns.some((pattern) => pattern.startsWith(`${path}.`) || pattern.includes('*'));

function filterValue(value: unknown, path: string, filter: SourceFilter, included: boolean): unknown {
  if (Array.isArray(value)) {
    return value.map((one) => filterValue(one, path, filter, included)).filter((one) => one !== undefined);
  }
  if (typeof value !== 'object' || value === null) return included ? value : undefined;
  const kept = filterObject(value as Json, path, filter, included);
  return included || Object.keys(kept).length > 0 ? kept : undefined;
}

function filterObject(object: Json, prefix: string, filter: SourceFilter, included: boolean): Json {
  const kept = Object.create(null) as Json;
  for (const [key, value] of Object.entries(object)) {
    const path = prefix === '' ? key : `${prefix}.${key}`;
    if (selects(filter.excludes, path)) continue;
    const own = included || selects(filter.includes, path);
    if (!own && !leadsTo(filter.includes, path)) continue;
    const part = filterValue(value, path, filter, own);
    if (part !== undefined) kept[key] = part;
  }
  return kept;
}

/** The parts of a document that the filter shows. */
export function filterSource(source: unknown, filter: SourceFilter): unknown {
  if (filter.includes.length + filter.excludes.length === 0) return source;
  return filterObject(source as Json, '', filter, filter.includes.length === 0);
}
