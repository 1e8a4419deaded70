import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kvm } from '@nats-io/kv';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { ChatRoomEntry } from '../../contract/directory.ts';
import { controlSubject, directoryBucket } from '../../contract/subjects.ts';
import { startNats } from '../../local/nats-server.ts';
import { watchDirectory } from './directory.ts';
import { watchHeartbeats } from './heartbeats.ts';
import type { Pod } from './pod.ts';
import { putDirectory, removeDirectory, testPod } from './testing.ts';

const room = (name: string, maxMembers = 10): ChatRoomEntry => ({
  kind: 'chat',
  namespace: 'test',
  name,
  displayName: name,
  type: 'public',
  maxMembers,
  retention: { maxAgeSeconds: 60, maxMessages: 10 },
  fileUpload: false,
  moderation: 'off',
  closing: false,
});

let dir: string;
let nats: Awaited<ReturnType<typeof startNats>>;
let pod: Pod;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'fabric-'));
  nats = await startNats({ dir });
  pod = await testPod(nats.url, 'chat-gateway');
});

afterAll(async () => {
  await pod.stop();
  await nats.stop();
  await rm(dir, { recursive: true, force: true });
});

test('waits for the bucket, lists it, then follows changes and removals', { timeout: 20_000 }, async () => {
  const pending = watchDirectory(pod, 'chat');
  expect(pod.health.readiness().ready).toBe(false);
  await putDirectory(pod, 'chat', room('lobby'));
  const directory = await pending;
  expect([...directory.entries.keys()]).toEqual(['lobby']);

  await putDirectory(pod, 'chat', room('support'));
  await vi.waitFor(() => expect([...directory.entries.keys()]).toEqual(['lobby', 'support']));
  await putDirectory(pod, 'chat', room('lobby', 20));
  await vi.waitFor(() => expect(directory.entries.get('lobby')?.maxMembers).toBe(20));
  await removeDirectory(pod, 'chat', 'support');
  await vi.waitFor(() => expect([...directory.entries.keys()]).toEqual(['lobby']));
});

test('lists more entries than fit one page', { timeout: 30_000 }, async () => {
  const bucket = await new Kvm(pod.jetstream).open(directoryBucket);
  const names = Array.from({ length: 1200 }, (_, i) => `many-${i}`);
  await Promise.all(names.map((name) => bucket.put(`chat.test.${name}`, JSON.stringify(room(name)))));
  const directory = await watchDirectory(pod, 'chat');
  expect(directory.entries.size).toBe(1201);
});

test('keeps what it knows while NATS is away and catches up when it is back', { timeout: 40_000 }, async () => {
  const directory = await watchDirectory(pod, 'chat');
  const before = directory.entries.size;
  const [server] = nats.servers;
  server!.kill('SIGKILL');
  await vi.waitFor(() => expect(pod.health.readiness().ready).toBe(false), { timeout: 10_000 });
  expect(directory.entries.size).toBe(before);
  await server!.start();
  await vi.waitFor(() => expect(pod.health.readiness().ready).toBe(true), { timeout: 10_000 });
  await vi.waitFor(() => putDirectory(pod, 'chat', room('after')), { timeout: 15_000 });
  await vi.waitFor(() => expect(directory.entries.has('after')).toBe(true), { timeout: 10_000 });
});

test('hears heartbeats, and answers a command that no handler takes', { timeout: 20_000 }, async () => {
  const beats = watchHeartbeats(pod, 'chat-gateway');
  pod.heartbeat(() => ({ load: { connections: 7 } }));
  await vi.waitFor(() => expect(beats.get('chat-gateway-test')?.beat.load).toEqual({ connections: 7 }));
  expect(beats.alive('chat-gateway-test', 1_000)).toBe(true);
  expect(beats.alive('nobody', 1_000)).toBe(false);
  const reply = await pod.nats.request(controlSubject('test', 'chat-gateway-test'), '{"type":"drain"}');
  expect(reply.json()).toMatchObject({ ok: false, code: 'unsupported' });
  const garbage = await pod.nats.request(controlSubject('test', 'chat-gateway-test'), 'garbage');
  expect(garbage.json()).toMatchObject({ ok: false, code: 'failed' });
});
