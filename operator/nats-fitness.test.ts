import { expect, test } from 'vitest';
import { serverProblem } from './nats-fitness.ts';

const good = { version: '2.12.1', jetstream: true, max_payload: 8 * 1024 * 1024 };

test.each([
  ['a server that will do', good, null],
  ['the oldest that will do', { ...good, version: '2.11.0' }, null],
  ['an old server', { ...good, version: '2.10.29' }, /2\.10\.29 is too old: upgrade to 2\.11/],
  ['a very old server', { ...good, version: '1.4.1' }, /too old/],
  ['a server without JetStream', { ...good, jetstream: undefined }, /--jetstream/],
  [
    'a server with a small max_payload',
    { ...good, max_payload: 1024 * 1024 },
    /max_payload is 1048576: set it to 8388608/,
  ],
])('%s', (_, server, expected) => {
  const problem = serverProblem(server);
  if (expected === null) expect(problem).toBeNull();
  else expect(problem).toMatch(expected);
});
