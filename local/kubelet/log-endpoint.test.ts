import { describe, expect, it } from 'vitest';
import { lastLines, parseLogRequest } from './log-endpoint.ts';

describe('requests for logs', () => {
  it('are read as the API server writes them', () => {
    expect(parseLogRequest('/containerLogs/default/db-0/main?follow=true&tailLines=5')).toEqual({
      pod: 'default/db-0',
      container: 'main',
      follow: true,
      tailLines: 5,
    });
  });

  it.each(['/exec/default/db-0/main', '/containerLogs/default/db-0', '/', '/containerLogs/a/b/c/d'])(
    '%s is no such request',
    (path) => {
      expect(parseLogRequest(path)).toBeUndefined();
    },
  );
});

describe('last lines', () => {
  it.each([
    ['a\nb\nc\n', 2, 'b\nc\n'],
    ['a\nb\nc', 1, 'c'],
    ['a\n', 5, 'a\n'],
    ['a\nb\n', 0, ''],
    ['a\nb\n', undefined, 'a\nb\n'],
  ])('%j, %s', (text, count, expected) => {
    expect(lastLines(text, count)).toBe(expected);
  });
});
