import { expect, test } from 'vitest';
import { parsePodEnv } from './start-pod.ts';

const good = {
  QUARTET_NAMESPACE: 'default',
  QUARTET_POD: 'db-app-0-0',
  QUARTET_POD_IP: '127.0.0.1',
  QUARTET_NODE: 'node-a',
  QUARTET_NATS_URL: 'nats://127.0.0.1:4222',
};

test('an environment gets its defaults', () => {
  expect(parsePodEnv(good)).toMatchObject({ QUARTET_ADMIN_PORT: 9090, QUARTET_LOG_LEVEL: 'info' });
});

test.each([
  [{ QUARTET_POD: undefined }, 'QUARTET_POD'],
  [{ QUARTET_ADMIN_PORT: '70000' }, 'QUARTET_ADMIN_PORT'],
  [{ QUARTET_RESOURCE: 'Not.A.Label' }, 'QUARTET_RESOURCE'],
  [{ QUARTET_CHAT_TOKEN_SECRET: 'short' }, 'QUARTET_CHAT_TOKEN_SECRET'],
])('%j is refused by name', (change, name) => {
  expect(() => parsePodEnv({ ...good, ...change })).toThrow(
    expect.objectContaining({ code: 'bad-environment', message: expect.stringContaining(name) as string }),
  );
});
