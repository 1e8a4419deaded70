import { describe, expect, test } from 'vitest';
import { AppliedMemory } from './applied-memory.ts';
import { canonical, covers, DESIRED_HASH, hashOf, prepare } from './apply.ts';
import type { KubeObject } from './object.ts';

describe('covers', () => {
  const cases: readonly [name: string, live: unknown, desired: unknown, answer: boolean][] = [
    ['the same', { a: 1 }, { a: 1 }, true],
    ['the server added a default', { a: 1, b: 2 }, { a: 1 }, true],
    ['another value', { a: 1 }, { a: 2 }, false],
    ['a missing value', {}, { a: 1 }, false],
    ['a missing object', {}, { a: { b: 1 } }, false],
    ['empty things that the server dropped', {}, { a: {}, b: [], c: { d: [] }, e: undefined, f: null }, true],
    ['a value where nothing is wanted', { a: [1] }, { a: [] }, false],
    ['a list in another order', { a: [1, 2] }, { a: [2, 1] }, false],
    ['a longer plain list', { a: [1, 2] }, { a: [1] }, false],
    ['a shorter list', { a: [1] }, { a: [1, 2] }, false],
    [
      'named members among others, in another order',
      [{ name: 'b' }, { name: 'a', v: 1, w: 2 }],
      [{ name: 'a', v: 1 }],
      true,
    ],
    ['a named member that is missing', [{ name: 'b' }], [{ name: 'a' }], false],
    ['a list member with a default added', [{ port: 1, protocol: 'TCP' }], [{ port: 1 }], true],
    ['a number kept as text', { a: '1' }, { a: 1 }, false],
    ['false is not absent', {}, { a: false }, false],
  ];
  test.each(cases)('%s', (_, live, desired, answer) => expect(covers(live, desired)).toBe(answer));
});

test('canonical JSON does not depend on the order of keys and skips undefined', () => {
  expect(canonical({ b: [1, undefined, { d: 1, c: 2 }], a: undefined })).toBe('{"b":[1,null,{"c":2,"d":1}]}');
  expect(hashOf({ a: 1, b: 2 })).toBe(hashOf({ b: 2, a: 1 }));
});

const owner: KubeObject = { apiVersion: 'x/v1', kind: 'Owner', metadata: { name: 'o', namespace: 'n', uid: 'u' } };
interface Data extends KubeObject {
  readonly data: object;
}
const desired = (data: object): Data => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'c', namespace: 'n' },
  data,
});

test('prepare adds the controller reference and a hash of all that is desired', () => {
  const prepared = prepare(desired({ a: '1', b: undefined }), owner);
  expect(prepared.metadata.ownerReferences).toEqual([
    { apiVersion: 'x/v1', kind: 'Owner', name: 'o', uid: 'u', controller: true, blockOwnerDeletion: true },
  ]);
  expect(prepared.data).toEqual({ a: '1' });
  const hash = prepared.metadata.annotations?.[DESIRED_HASH];
  expect(prepare(desired({ a: '1' }), owner).metadata.annotations?.[DESIRED_HASH]).toBe(hash);
  expect(prepare(desired({ a: '2' }), owner).metadata.annotations?.[DESIRED_HASH]).not.toBe(hash);
});

describe('an object is settled', () => {
  const wanted = prepare(desired({ cpu: '1000m' }), owner);
  const normalised: Data = { ...wanted, data: { cpu: '1' } };

  test('when it holds what was desired, and no longer when a field was given up or someone changed it', () => {
    const memory = new AppliedMemory();
    expect(memory.isSettled('c', wanted, wanted)).toBe(true);
    expect(memory.isSettled('c', wanted, prepare(desired({}), owner))).toBe(false);
    expect(memory.isSettled('c', normalised, wanted)).toBe(false);
  });

  test('when it holds what the server made of the desired, once that was seen', () => {
    const memory = new AppliedMemory();
    memory.note('c', normalised, wanted);
    expect(memory.isSettled('c', normalised, wanted)).toBe(true);
    expect(memory.isSettled('c', { ...wanted, data: { cpu: '3' } } as Data, wanted)).toBe(false);
  });

  test('and the memory of that is bounded', () => {
    const memory = new AppliedMemory(2);
    for (const id of ['a', 'b', 'c']) memory.note(id, normalised, wanted);
    expect(['a', 'b', 'c'].map((id) => memory.isSettled(id, normalised, wanted))).toEqual([false, true, true]);
  });

  test('a status: when equal, or what the server made of it', () => {
    const memory = new AppliedMemory();
    expect(memory.isSettledStatus('c', { a: 1, b: [2] }, { b: [2], a: 1 })).toBe(true);
    expect(memory.isSettledStatus('c', { a: 1, other: 2 }, { a: 1 })).toBe(false);
    memory.noteStatus('c', { a: 1, other: 2 }, { a: 1 });
    expect(memory.isSettledStatus('c', { a: 1, other: 2 }, { a: 1 })).toBe(true);
    expect(memory.isSettledStatus('c', { a: 1, other: 3 }, { a: 1 })).toBe(false);
    expect(memory.isSettledStatus('d', undefined, {})).toBe(true);
  });
});
