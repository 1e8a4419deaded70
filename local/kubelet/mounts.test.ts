import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withRealPaths } from './mounts.ts';

const mounts = [
  { mountPath: '/data', directory: '/state/pv-1' },
  { mountPath: '/data/logs', directory: '/state/pv-2' },
  { mountPath: '/etc/app+x/', directory: '/state/config' },
];

describe('mount paths in arguments and variables', () => {
  it.each([
    ['/data', '/state/pv-1'],
    ['/data/a/b', '/state/pv-1/a/b'],
    ['--dir=/data/x', '--dir=/state/pv-1/x'],
    ['a:/data:/data/logs', 'a:/state/pv-1:/state/pv-2'],
    ['/data/logs/today', '/state/pv-2/today'],
    ['/etc/app+x/file', '/state/config/file'],
    ['/database', '/database'],
    ['/data-old', '/data-old'],
    ['/data.db', '/data.db'],
    ['http://host/data', 'http://host/data'],
    ['/srv/data', '/srv/data'],
    ['../data', '../data'],
    ['no path', 'no path'],
  ])('%s becomes %s', (text, expected) => {
    expect(withRealPaths(text, mounts)).toBe(expected);
  });

  it('changes nothing where no mount path occurs', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!text.includes('/data') && !text.includes('/etc'));
        expect(withRealPaths(text, mounts)).toBe(text);
      }),
    );
  });

  it('never touches the rest of a path', () => {
    const segment = fc.stringMatching(/^[a-z0-9_]{1,8}$/).filter((name) => name !== 'logs');
    fc.assert(
      fc.property(fc.array(segment), (segments) => {
        const rest = segments.map((name) => `/${name}`).join('');
        expect(withRealPaths(`/data${rest}`, mounts)).toBe(`/state/pv-1${rest}`);
      }),
    );
  });
});
