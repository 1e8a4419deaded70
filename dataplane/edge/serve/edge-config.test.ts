import { describe, expect, it } from 'vitest';
import { originFor } from './edge-config.ts';

describe('the origin of a host', () => {
  const origins = [
    { hosts: ['a.example'], url: 'exact' },
    { hosts: ['*.example'], url: 'suffix' },
    { hosts: ['b.test:8080'], url: 'port' },
    { hosts: ['*'], url: 'any' },
  ];
  it.each([
    ['a.example', 'exact'],
    ['A.Example:8080', 'exact'],
    ['x.example', 'suffix'],
    ['b.test:8080', 'port'],
    ['b.test', 'any'],
  ])('%s: %s', (host, url) => {
    expect(originFor(origins, host)).toBe(url);
  });

  it('may be nobody', () => {
    expect(originFor(origins.slice(0, 1), 'b.example')).toBeUndefined();
  });
});
