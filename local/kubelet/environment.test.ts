import { describe, expect, it } from 'vitest';
import type { Container } from '../api/objects.ts';
import { environmentOf, expand, referencesOf, type ValueSources } from './environment.ts';

const sources: ValueSources = {
  field: (path) => (path === 'metadata.name' ? 'db-0' : undefined),
  secret: (name) => (name === 'keys' ? new Map([['token', 's3cret']]) : undefined),
  configMap: (name) => (name === 'settings' ? new Map([['COLOR', 'blue']]) : undefined),
};
const container = (rest: Partial<Container>): Container => ({ name: 'main', image: 'quartet', ...rest });

describe('expansion of $(NAME)', () => {
  it.each([
    ['$(A)', 'one'],
    ['--x=$(A)/$(B)', '--x=one/two'],
    ['$(MISSING)', '$(MISSING)'],
    ['$$(A)', '$(A)'],
    ['$A ${A} $(A', '$A ${A} $(A'],
    ['$$$(A)', '$one'],
    ['', ''],
  ])('%s becomes %s', (text, expected) => {
    expect(expand(text, { A: 'one', B: 'two' })).toBe(expected);
  });
});

describe('environment of a container', () => {
  it('takes values, fields, secrets and config maps', () => {
    const env = [
      { name: 'PLAIN', value: 'x' },
      { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'keys', key: 'token' } } },
      { name: 'COLOR', valueFrom: { configMapKeyRef: { name: 'settings', key: 'COLOR' } } },
    ];
    const variables = { PLAIN: 'x', POD: 'db-0', TOKEN: 's3cret', COLOR: 'blue' };
    expect(environmentOf(container({ env }), sources)).toEqual({ ok: true, variables });
  });

  it('lets a variable use those before it and not those after it', () => {
    const env = [
      { name: 'EARLY', value: '$(LATE)' },
      { name: 'LATE', value: '1' },
      { name: 'SUM', value: '$(LATE)+$(LATE)' },
    ];
    const variables = { EARLY: '$(LATE)', LATE: '1', SUM: '1+1' };
    expect(environmentOf(container({ env }), sources)).toEqual({ ok: true, variables });
  });

  it('lets env override envFrom, whose names get the prefix', () => {
    const envFrom = [{ configMapRef: { name: 'settings' } }, { prefix: 'P_', configMapRef: { name: 'settings' } }];
    const env = [{ name: 'COLOR', value: 'red' }];
    const variables = { COLOR: 'red', P_COLOR: 'blue' };
    expect(environmentOf(container({ env, envFrom }), sources)).toEqual({ ok: true, variables });
  });

  it.each([
    ['a secret without the key', { secretKeyRef: { name: 'keys', key: 'nope' } }, 'key nope of secret keys'],
    ['no such secret', { secretKeyRef: { name: 'nope', key: 'a' } }, 'key a of secret nope'],
    ['no such config map', { configMapKeyRef: { name: 'nope', key: 'a' } }, 'key a of config map nope'],
    ['no such field', { fieldRef: { fieldPath: 'spec.nope' } }, 'field spec.nope'],
  ])('says what is missing: %s', (_name, valueFrom, missing) => {
    const env = [{ name: 'X', valueFrom }];
    expect(environmentOf(container({ env }), sources)).toEqual({ ok: false, missing });
  });

  it('leaves an optional variable out when its source is missing', () => {
    const env = [{ name: 'X', valueFrom: { secretKeyRef: { name: 'nope', key: 'a', optional: true } } }];
    const envFrom = [{ secretRef: { name: 'nope', optional: true } }];
    expect(environmentOf(container({ env, envFrom }), sources)).toEqual({ ok: true, variables: {} });
  });

  it('knows which objects it will need', () => {
    const env = [{ name: 'X', valueFrom: { secretKeyRef: { name: 'a', key: 'k' } } }];
    const envFrom = [{ secretRef: { name: 'b' } }, { configMapRef: { name: 'c' } }];
    const names = referencesOf([container({ env, envFrom }), container({ env })]);
    expect(names).toEqual({ secrets: new Set(['b', 'a']), configMaps: new Set(['c']) });
  });
});
