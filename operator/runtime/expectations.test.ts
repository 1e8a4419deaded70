import { describe, expect, test } from 'vitest';
import { Expectations } from './expectations.ts';
import type { KubeObject } from './object.ts';
import { ObjectStore } from './object-store.ts';
import { resource } from './resource.ts';
import type { Store } from './store.ts';

const things = resource('x/v1', 'Thing', 'things');
const thing = (name: string, version: number, more: Partial<KubeObject['metadata']> = {}): KubeObject => ({
  apiVersion: 'x/v1',
  kind: 'Thing',
  metadata: { name, namespace: 'n', uid: `uid-${name}`, resourceVersion: String(version), ...more },
});

describe('expectations hold a key back until the cache shows its own writes', () => {
  const run = () => {
    const store = new ObjectStore(things);
    return { store, cache: store as unknown as Store<KubeObject>, expectations: new Expectations() };
  };

  test('a write: until the object is there in that version or a later one', () => {
    const { store, cache, expectations } = run();
    expectations.written('n/owner', cache, thing('a', 5), 'n/a');
    expect([expectations.pending('n/owner'), expectations.pending('n/other')]).toEqual([true, false]);
    store.put(thing('a', 4));
    expect(expectations.pending('n/owner')).toBe(true);
    store.put(thing('a', 6));
    expect(expectations.pending('n/owner')).toBe(false);
  });

  test('a write that the cache does not select: until it has seen as much by a bookmark', () => {
    const { store, cache, expectations } = run();
    expectations.written('n/owner', cache, thing('a', 5), 'n/a');
    store.progress('5');
    expect(expectations.pending('n/owner')).toBe(false);
  });

  test('a removal: until the object is gone, going, or another', () => {
    for (const next of [undefined, { deletionTimestamp: 'now' }, { uid: 'another' }]) {
      const { store, cache, expectations } = run();
      store.put(thing('a', 1));
      expectations.removed('n/owner', cache, 'uid-a', 'n/a');
      expect(expectations.pending('n/owner')).toBe(true);
      if (next === undefined) store.drop(thing('a', 2));
      else store.put(thing('a', 2, next));
      expect(expectations.pending('n/owner')).toBe(false);
    }
  });
});
