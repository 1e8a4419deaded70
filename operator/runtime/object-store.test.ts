import { describe, expect, test } from 'vitest';
import { keyOf, type KubeObject } from './object.ts';
import { ObjectStore } from './object-store.ts';
import { resource } from './resource.ts';
import { byLabel } from './store.ts';

const things = resource('x/v1', 'Thing', 'things');
const thing = (name: string, version: number, more: Partial<KubeObject['metadata']> = {}): KubeObject => ({
  apiVersion: 'x/v1',
  kind: 'Thing',
  metadata: { name, namespace: 'n', uid: `uid-${name}`, resourceVersion: String(version), ...more },
});
const setup = () => {
  const store = new ObjectStore(things, { app: byLabel('app') });
  const changes: string[] = [];
  store.subscribe(({ type, object, initial }) =>
    changes.push(`${type} ${object.metadata.name}${initial ? ' (initial)' : ''}`),
  );
  return { store, changes };
};

describe('a store', () => {
  test('tells handlers what changed, and late ones what is there', () => {
    const { store, changes } = setup();
    store.put(thing('a', 1), true);
    store.put(thing('b', 2));
    store.put(thing('a', 3));
    store.drop(thing('b', 4));
    expect(changes).toEqual(['added a (initial)', 'added b', 'updated a', 'deleted b']);
    const late: string[] = [];
    store.subscribe(({ type, object }) => late.push(`${type} ${object.metadata.name}`));
    expect(late).toEqual(['added a']);
  });

  test('never goes back: an event of an older version is ignored', () => {
    const { store, changes } = setup();
    store.put(thing('a', 5));
    store.put(thing('a', 4, { labels: { old: 'yes' } }));
    store.put(thing('a', 5));
    expect(store.get('n/a')?.metadata.labels).toBeUndefined();
    expect(changes).toEqual(['added a']);
  });

  test('but a list is how things are, also when etcd was restored to an older state', () => {
    const { store } = setup();
    store.put(thing('a', 50));
    store.put(thing('a', 4), true);
    store.complete(new Set(['n/a']), '6');
    expect(store.get('n/a')?.metadata.resourceVersion).toBe('4');
    expect([store.hasSeen('6'), store.hasSeen('7')]).toEqual([true, false]);
  });

  test('a complete list takes away what it did not hold', () => {
    const { store, changes } = setup();
    store.put(thing('a', 1));
    store.put(thing('b', 2));
    store.complete(new Set(['n/b']), '9');
    expect(store.list().map(keyOf)).toEqual(['n/b']);
    expect(changes.at(-1)).toBe('deleted a (initial)');
  });

  test('a new object of an old name is a deletion and an addition', () => {
    const { store, changes } = setup();
    store.put(thing('a', 1));
    store.put(thing('a', 2, { uid: 'another' }));
    expect(changes).toEqual(['added a', 'deleted a', 'added a']);
  });

  test('indexes follow changes; owners are always indexed; an unknown index is an error', () => {
    const { store } = setup();
    const ownerReferences = [{ apiVersion: 'x/v1', kind: 'Owner', name: 'o', uid: 'o1' }];
    store.put(thing('a', 1, { labels: { app: 'one' }, ownerReferences }));
    store.put(thing('b', 2, { labels: { app: 'one' } }));
    store.put(thing('b', 3, { labels: { app: 'two' } }));
    expect(store.by('app', 'one').map(keyOf)).toEqual(['n/a']);
    expect(store.by('app', 'two').map(keyOf)).toEqual(['n/b']);
    expect(store.ownedBy('o1').map(keyOf)).toEqual(['n/a']);
    store.drop(thing('a', 4));
    expect([store.by('app', 'one'), store.ownedBy('o1')]).toEqual([[], []]);
    expect(() => store.by('nothing', 'x')).toThrow(RangeError);
  });

  test('objects are frozen to the bottom', () => {
    const { store } = setup();
    store.put(thing('a', 1, { labels: { app: 'one' } }));
    expect(() => {
      Object.assign(store.get('n/a')?.metadata.labels ?? {}, { app: 'two' });
    }).toThrow(TypeError);
  });

  test('a handler that throws harms no other', () => {
    const errors: unknown[] = [];
    const store = new ObjectStore(things, {}, (error) => errors.push(error));
    const seen: string[] = [];
    store.subscribe(() => {
      throw new Error('a bug');
    });
    store.subscribe(({ object }) => seen.push(object.metadata.name));
    store.put(thing('a', 1));
    expect([errors.length, seen]).toEqual([1, ['a']]);
  });
});
