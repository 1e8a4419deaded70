import { describe, expect, it } from 'vitest';
import { parseStandalone } from './standalone.ts';

describe('the command line of an edge that runs alone', () => {
  it('says where to listen and whom to ask', () => {
    const { host, port, config } = parseStandalone([
      '--listen',
      '127.0.0.1:8002',
      '--origin',
      'http://127.0.0.1:8000/',
    ]);
    expect([host, port, config.origins, config.defaultTtl]).toEqual([
      '127.0.0.1',
      8002,
      [{ hosts: ['*'], url: 'http://127.0.0.1:8000' }],
      false,
    ]);
  });

  it.each([
    [['--listen', 'x', '--origin', 'http://a'], '--listen'],
    [['--origin', 'ftp://a'], '--origin'],
    [[], '--origin'],
    [['--origin', 'http://a', '--memory', '0'], '--memory'],
  ])('%j is refused by name', (argv, name) => {
    expect(() => parseStandalone(argv)).toThrow(name);
  });
});
