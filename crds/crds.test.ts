import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { customResourceDefinition } from './definition.ts';
import { durationMs } from './duration.ts';
import { generatedFiles } from './generate.ts';
import { kinds } from './kinds.ts';
import { quantityBytes } from './quantity.ts';

type Json = Readonly<Record<string, unknown>>;

const root = join(import.meta.dirname, '..');

test.each([...generatedFiles()])('%s is what the schemas say (else: npm run crds)', (path, content) => {
  expect(readFileSync(join(root, path), 'utf8')).toBe(content);
});

/** Every schema node below a value, with its path. */
const schemas = (value: unknown, path: string): [string, Json][] => {
  if (typeof value !== 'object' || value === null) return [];
  const schema = value as Json;
  const below = Object.entries((schema['properties'] ?? {}) as Json).flatMap(([name, child]) =>
    schemas(child, `${path}.${name}`),
  );
  return [[path, schema], ...below, ...schemas(schema['items'], `${path}[]`)];
};

const fieldsOf = (kind: (typeof kinds)[number]): [string, Json][] => {
  const definition = customResourceDefinition(kind) as { spec: { versions: { schema: { openAPIV3Schema: Json } }[] } };
  const schema = definition.spec.versions[0]?.schema.openAPIV3Schema ?? {};
  const { spec, status } = schema['properties'] as Json;
  return [...schemas(spec, 'spec'), ...schemas(status, 'status')];
};

describe.each(kinds.map((kind) => [kind.kind, kind] as const))('%s', (_, kind) => {
  const fields = fieldsOf(kind);

  it('describes every field', () => {
    for (const [path, schema] of fields) {
      if (!path.endsWith('[]')) expect(schema['description'], path).toMatch(/\w/);
    }
  });

  it('has a bound on every text, number and list of its spec, so that CEL costs can be known', () => {
    for (const [path, schema] of fields.filter(([name]) => name.startsWith('spec'))) {
      const bounds: Readonly<Record<string, readonly string[]>> = {
        string: ['maxLength', 'enum', 'pattern'],
        integer: ['maximum'],
        array: ['maxItems'],
      };
      const accepted = bounds[String(schema['type'])];
      if (accepted)
        expect(
          accepted.some((key) => key in schema),
          path,
        ).toBe(true);
    }
  });

  it('has no floats', () => {
    for (const [path, schema] of fields) expect(schema['type'], path).not.toBe('number');
  });

  it('has printer columns that begin with what tells resources apart, and Ready', () => {
    expect(kind.columns.map(({ name }) => name)).toContain('Ready');
  });
});

describe('quantities and durations', () => {
  it('are read as Kubernetes reads them', () => {
    expect([quantityBytes('10Gi'), quantityBytes('5k'), quantityBytes('7')]).toEqual([10 * 2 ** 30, 5000, 7]);
    expect([durationMs('1h30m'), durationMs('1500ms'), durationMs('0s')]).toEqual([5_400_000, 1500, 0]);
  });
  it('are refused when they are none', () => {
    for (const text of ['', '1.5Gi', '-1', '10gb']) expect(() => quantityBytes(text)).toThrow(RangeError);
    for (const text of ['', '5', '1d', '-1s']) expect(() => durationMs(text)).toThrow(RangeError);
  });
});
