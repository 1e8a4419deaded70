import { describe, expect, test } from 'vitest';
import type { ControllerOptions } from './controller.ts';
import { watch } from './controller.ts';
import { keyOf, type KubeObject } from './object.ts';
import { ObjectStore } from './object-store.ts';
import { done } from './outcome.ts';
import { resource } from './resource.ts';
import { isReason, subscribeAll } from './wake-up.ts';

const object = (metadata: Partial<KubeObject['metadata']> = {}, more: object = {}): KubeObject => ({
  apiVersion: 'x/v1',
  kind: 'Thing',
  metadata: { name: 'a', namespace: 'n', uid: 'u', resourceVersion: '1', generation: 1, ...metadata },
  ...more,
});

describe('a change of the reconciled object', () => {
  test.each([
    ['its status only', object({ resourceVersion: '2' }, { status: { made: 1 } }), false],
    ['its spec', object({ generation: 2 }), true],
    ['a label', object({ labels: { a: 'b' } }), true],
    ['an annotation', object({ annotations: { a: 'b' } }), true],
    ['a finalizer', object({ finalizers: ['f'] }), true],
    ['being deleted', object({ deletionTimestamp: 'now' }), true],
    ['a kind without generations', object({ generation: undefined as unknown as number }), true],
  ])('%s', (_, now, answer) => {
    expect(isReason({ type: 'updated', object: now, old: object(), initial: false }, false)).toBe(answer);
    expect(isReason({ type: 'updated', object: now, old: object(), initial: false }, true)).toBe(true);
  });
});

describe('who is woken', () => {
  const setup = () => {
    const things = new ObjectStore(resource('x/v1', 'Thing', 'things'));
    const parts = new ObjectStore(resource('v1', 'Part', 'parts'));
    const woken: string[] = [];
    const options: ControllerOptions<KubeObject> = {
      name: 'test',
      of: things,
      owns: [parts],
      watches: [watch(parts, ({ object }) => (object.metadata.labels?.['for'] ? [object.metadata.labels['for']] : []))],
      reconcile: async () => done,
    };
    const end = subscribeAll(options, (key, priority) => woken.push(`${key} ${priority}`));
    return { things, parts, woken, end };
  };
  const part = (version: number, owner?: string, controller = true): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Part',
    metadata: {
      name: 'p',
      namespace: 'n',
      uid: 'p',
      resourceVersion: String(version),
      ...(owner !== undefined && {
        ownerReferences: [
          { apiVersion: 'x/v2', kind: owner === 'other' ? 'Other' : 'Thing', name: owner, uid: owner, controller },
        ],
      }),
    },
  });

  test('the object itself, its controller by reference, and what a mapping names', () => {
    const { things, parts, woken } = setup();
    things.put(object());
    parts.put(part(1, 'a'));
    parts.put({ ...part(2), metadata: { ...part(2).metadata, labels: { for: 'n/mapped' } } });
    expect(woken).toEqual(['n/a 0', 'n/a 0', 'n/a 0', 'n/mapped 0']);
  });

  test('both the old and the new controller', () => {
    const { parts, woken } = setup();
    parts.put(part(1, 'a'));
    parts.put(part(2, 'b'));
    expect(woken).toEqual(['n/a 0', 'n/b 0', 'n/a 0']);
  });

  test('not for a reference that is no controller, nor of another kind', () => {
    const { parts, woken } = setup();
    parts.put(part(1, 'a', false));
    parts.put(part(2, 'other'));
    expect(woken).toEqual([]);
  });

  test('once each at the start, however many objects lead to it', () => {
    const things = new ObjectStore(resource('x/v1', 'Thing', 'things'));
    for (const name of ['a', 'b', 'c']) things.put(object({ name, uid: name }), true);
    const woken: string[] = [];
    const all = watch(things, () => things.list().map(keyOf));
    const options = { name: 'test', of: things, watches: [all], reconcile: async () => done };
    subscribeAll(options, (key) => woken.push(key));
    expect(woken).toEqual(['n/a', 'n/b', 'n/c']);
  });

  test('at low priority for what was there from the start; not at all after the end', () => {
    const { things, woken, end } = setup();
    things.put(object(), true);
    end();
    things.drop(object({ resourceVersion: '3' }));
    expect(woken).toEqual([`${keyOf(object())} -100`]);
  });
});
