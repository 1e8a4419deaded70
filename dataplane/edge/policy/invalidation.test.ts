import { describe, expect, it } from 'vitest';
import { invalidatedKeys } from './invalidation.ts';
import { fieldsOf } from './testing.ts';

const keys = (method: string, status: number, fields: Record<string, string> = {}): string[] =>
  invalidatedKeys({ method, host: 'a.example', target: '/x?y' }, { status, fields: fieldsOf(fields) });

describe('RFC 9111 section 4.4: invalidation', () => {
  it.each([
    ['POST', 200, ['a.example/x?y']],
    ['DELETE', 204, ['a.example/x?y']],
    ['M-SEARCH', 302, ['a.example/x?y']],
    ['PUT', 500, []],
    ['PUT', 404, []],
    ['GET', 200, []],
    ['HEAD', 200, []],
    ['OPTIONS', 200, []],
  ])('%s with status %i', (method, status, expected) => {
    expect(keys(method, status)).toEqual(expected);
  });

  it('takes Location and Content-Location of the same origin along', () => {
    const fields = { Location: '/new', 'Content-Location': 'http://a.example/y' };
    expect(keys('POST', 201, fields)).toEqual(['a.example/x?y', 'a.example/new', 'a.example/y']);
  });

  it('leaves those of another origin alone', () => {
    expect(keys('POST', 201, { Location: 'http://b.example/new' })).toEqual(['a.example/x?y']);
  });
});
