import { describe, expect, it } from 'vitest';
import { fieldsOf, storedWith } from '../policy/testing.ts';
import { ResponseStore, storedCost } from './response-store.ts';

const mebibyte = 1024 * 1024;
const part = (first: number, last: number) => ({ first, last, length: 100, requested: `bytes=${first}-${last}` });

describe('stored responses', () => {
  it('are found by key and by what Vary selects', () => {
    const store = new ResponseStore(mebibyte);
    const de = storedWith({ Vary: 'Foo' }, { request: fieldsOf({ Foo: 'de' }) });
    const fr = storedWith({ Vary: 'Foo' }, { request: fieldsOf({ Foo: 'fr' }) });
    store.put(de);
    store.put(fr);
    expect(store.find(de.key, fieldsOf({ Foo: 'de' })).whole).toBe(de);
    expect(store.find(de.key, fieldsOf({ Foo: 'fr' })).whole).toBe(fr);
    expect(store.find(de.key, [])).toEqual({ whole: undefined, parts: [], variants: 2 });
    expect(store.find('other', [])).toEqual({ whole: undefined, parts: [], variants: 0 });
    expect(store.varyNames(de.key)).toEqual(['foo']);
  });

  it('replace one of the same key and variant', () => {
    const store = new ResponseStore(mebibyte);
    store.put(storedWith({}));
    const newer = storedWith({ ETag: '"2"' });
    store.put(newer);
    expect([store.size, store.find(newer.key, []).whole]).toEqual([1, newer]);
  });

  it('keep parts apart from the whole', () => {
    const store = new ResponseStore(mebibyte);
    const first = storedWith({}, { status: 206, part: part(0, 9) });
    store.put(first);
    store.put(storedWith({}, { status: 206, part: part(20, 29) }));
    expect(store.find(first.key, []).parts).toHaveLength(2);
    const whole = storedWith({});
    store.put(whole);
    expect(store.find(first.key, []).whole).toBe(whole);
  });

  it('go by key, by prefix and by tag, and leave nothing behind', () => {
    const store = new ResponseStore(mebibyte);
    for (const key of ['a/1', 'a/2', 'b/1']) store.put(storedWith({}, { key, tags: ['all', key] }));
    expect(store.purgeTag('a/2')).toBe(1);
    expect(store.purgePrefix('a/')).toBe(1);
    expect(store.purgeKey('b/1')).toBe(1);
    expect([store.size, store.usedBytes, store.purgeTag('all')]).toEqual([0, 0, 0]);
  });

  it('removes a response only while it is the stored one', () => {
    const store = new ResponseStore(mebibyte);
    const old = storedWith({});
    store.put(old);
    const newer = storedWith({ ETag: '"2"' });
    store.put(newer);
    store.remove(old);
    expect(store.find(newer.key, []).whole).toBe(newer);
  });

  it('bounds the variants of one key', () => {
    const store = new ResponseStore(10 * mebibyte);
    for (let i = 0; i < 200; i++) store.put(storedWith({ Vary: 'Foo' }, { request: fieldsOf({ Foo: `${i}` }) }));
    expect(store.size).toBe(64);
    expect(store.find('example.com/', fieldsOf({ Foo: '199' })).whole).toBeDefined();
  });

  it('keeps what it is charged, metadata included, within its memory', () => {
    const store = new ResponseStore(100_000);
    for (let i = 0; i < 500; i++) {
      store.put(storedWith({}, { key: `example.com/${i}`, body: Buffer.alloc(1000), tags: [`t${i}`] }));
      expect(store.usedBytes).toBeLessThanOrEqual(100_000);
    }
    expect(store.size).toBeGreaterThan(10);
    expect(storedCost(storedWith({}))).toBeGreaterThan(1000);
  });

  it('shrinks at once when it is given less memory', () => {
    const store = new ResponseStore(100_000);
    for (let i = 0; i < 30; i++) store.put(storedWith({}, { key: `k${i}` }));
    store.resize(10_000);
    expect(store.usedBytes).toBeLessThanOrEqual(10_000);
  });
});
