import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { maxPayloadBytes } from '../contract/streams.ts';
import { startNats, type Nats } from './nats-server.ts';

describe('nats-server', () => {
  let dir: string;
  let nats: Nats | undefined;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'quartet-nats-'));
  });
  afterEach(async () => {
    await nats?.stop();
    nats = undefined;
    await rm(dir, { recursive: true, force: true });
  });

  it('has JetStream, the payload bound of the contract, and keeps messages over kill -9', async () => {
    nats = await startNats({ dir });
    const connection = await connect({ servers: nats.url, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
    expect(connection.info?.max_payload).toBe(maxPayloadBytes);
    const manager = await jetstreamManager(connection);
    await manager.streams.add({ name: 'kept', subjects: ['kept'] });
    await manager.jetstream().publish('kept', 'hello');
    const [server] = nats.servers;
    const before = server?.pid;
    server?.kill('SIGKILL');
    await server?.exited;
    expect(server?.running).toBe(false);
    await server?.start();
    await nats.ready();
    expect(server?.pid).not.toBe(before);
    await expect.poll(async () => (await manager.streams.info('kept')).state.messages, { timeout: 10_000 }).toBe(1);
    await connection.close();
  });

  it('as a cluster of three serves streams with three copies while one is dead', async () => {
    nats = await startNats({ dir, servers: 3 });
    const connection = await connect({ servers: nats.url.split(','), maxReconnectAttempts: -1, reconnectTimeWait: 50 });
    const manager = await jetstreamManager(connection, { timeout: 10_000 });
    await manager.streams.add({ name: 'three', subjects: ['three'], num_replicas: 3 });
    const victim = nats.servers[2];
    victim?.kill('SIGKILL');
    await victim?.exited;
    const publish = () =>
      manager
        .jetstream()
        .publish('three', 'x')
        .then(
          (ack) => ack.seq,
          () => 0,
        );
    await expect.poll(publish, { timeout: 20_000 }).toBeGreaterThan(0);
    await victim?.start();
    await nats.ready();
    await connection.close();
  });
});
