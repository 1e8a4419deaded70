import { describe, expect, it } from 'vitest';
import { withLatestRange } from './latest-range.ts';

const log = { stream: 'S', created: 'monday' };
const entry = (over: object = {}) =>
  JSON.stringify({
    kind: 'db',
    namespace: 'shop',
    name: 'app',
    log,
    members: [],
    primary: 'r0',
    term: 1,
    database: 'app',
    start: '',
    end: '',
    epoch: 0,
    serves: true,
    splitFrom: null,
    conflict: null,
    ...over,
  });

const read = (text: string) => JSON.parse(text) as Record<string, unknown>;

describe('a range that was published', () => {
  const shorter = { start: '', end: 'm', epoch: 1 };

  it('is not taken back by an operator that does not know it yet, while the rest of the document changes', () => {
    const next = read(withLatestRange(entry(shorter), entry({ primary: 'r2', term: 7 })));
    expect(next).toMatchObject({ ...shorter, primary: 'r2', term: 7 });
  });

  it('makes room for a later one, and for one of the same epoch', () => {
    const later = entry({ end: 'f', epoch: 2 });
    expect(withLatestRange(entry(shorter), later)).toBe(later);
    const same = entry({ ...shorter, term: 3 });
    expect(withLatestRange(entry(shorter), same)).toBe(same);
  });

  it('does not outlive its log: another shard of that name begins anew', () => {
    const other = entry({ log: { stream: 'S', created: 'tuesday' } });
    expect(withLatestRange(entry(shorter), other)).toBe(other);
  });

  it('that cannot be read is replaced', () => {
    expect(withLatestRange('{', entry())).toBe(entry());
    expect(withLatestRange('{"kind":"edge"}', entry())).toBe(entry());
  });
});
