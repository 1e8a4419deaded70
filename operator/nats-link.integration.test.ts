import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '@nats-io/transport-node';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { startNats } from '../local/nats-server.ts';
import { NatsLink } from './nats-link.ts';

test('a subject is deserted when nobody is connected who listens, not when whoever listens is silent', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'quartet-nats-link-'));
  const server = await startNats({ dir });
  await server.ready();
  const link = new NatsLink({ url: server.url, replicas: 1 }, pino({ level: 'silent' }));
  await link.start();
  const pod = await connect({ servers: server.url });
  pod.subscribe('pod.control', { callback: () => {} });
  await pod.flush();
  expect(await link.isDeserted('pod.control')).toBe(false);
  await pod.close();
  // the server notices a closed connection a moment after its client closed it
  await expect.poll(() => link.isDeserted('pod.control'), { timeout: 10_000 }).toBe(true);
  await link.stop();
  await server.stop();
  await rm(dir, { recursive: true, force: true });
});
