import { describe, expect, it } from 'vitest';
import { keyOfUrl, purgeRequest, selectionOf } from './purge-message.ts';

describe('purge requests', () => {
  it.each([
    ['http://Example.com/a?b', 'example.com/a?b'],
    ['http://example.com:80/', 'example.com/'],
    ['http://example.com:8080/a', 'example.com:8080/a'],
    ['https://example.com/a', 'example.com/a'],
    ['/a', undefined],
    ['ftp://example.com/', undefined],
  ])('%s is stored under %s', (url, key) => {
    expect(keyOfUrl(url)).toBe(key);
  });

  it('name something', () => {
    expect(purgeRequest.safeParse({}).success).toBe(false);
    expect(purgeRequest.safeParse({ urls: ['http://a/'], extra: 1 }).success).toBe(false);
    expect(purgeRequest.safeParse({ tags: ['x'] }).success).toBe(true);
  });

  it('become a selection, or say which URL is none', () => {
    const request = { urls: ['http://a/1'], prefixes: ['http://a/'], tags: ['t'] };
    expect(selectionOf(request)).toEqual({ keys: ['a/1'], prefixes: ['a/'], tags: ['t'] });
    expect(selectionOf({ ...request, urls: ['nope'] })).toEqual({ badUrl: 'nope' });
  });
});
