import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DbBackupStatus } from '../crds/db-backup.ts';
import { startS3, type S3Server } from '../dataplane/db/backup/testing/s3-server.ts';
import { eventually, runningQuartet } from './quartet.ts';

const quartet = runningQuartet();
const { host, database: port } = quartet.endpoints;
const dir = mkdtempSync(join(tmpdir(), 'quartet-e2e-backup-'));
const apiVersion = 'quartet.dev/v1alpha1';
const shards = ['ledger-a', 'ledger-m', 'restored'];
let s3: S3Server;

const open = (database: string): Redis =>
  new Redis({ host, port, username: database, password: 'any', maxRetriesPerRequest: null });

const makeShard = (name: string, database: string, range: object): Promise<void> =>
  quartet.apply({
    apiVersion,
    kind: 'DBShard',
    metadata: { name },
    spec: { database, range, replicas: 1, storage: { size: '64Mi', policy: 'Delete' } },
  });

const untilReady = (name: string): Promise<void> =>
  eventually(async () => {
    const { conditions } = await quartet.status('dbshards', name);
    expect(conditions?.find(({ type }) => type === 'Ready')?.status).toBe('True');
  }, 60_000);

const makeBackup = (name: string, destination: object): Promise<void> =>
  quartet.apply({
    apiVersion,
    kind: 'DBBackup',
    metadata: { name, annotations: { 'quartet.dev/backup-now': '1' } },
    spec: { database: 'ledger', schedule: '* * * * *', destination },
  });

const statusOf = async (name: string): Promise<DbBackupStatus> => {
  const text = await quartet.kubectl('get', 'dbbackup', name, '-o', 'json');
  return (JSON.parse(text) as { status?: DbBackupStatus }).status ?? {};
};

const untilBackedUp = (name: string, status: 'True' | 'False') =>
  eventually(async () => {
    const found = (await statusOf(name)).conditions?.find(({ type }) => type === 'BackedUp');
    expect(found?.status, found?.message).toBe(status);
    return found?.message ?? '';
  }, 90_000);

beforeAll(async () => {
  s3 = await startS3(dir);
  // for `quartet restore`, as it is for a person
  Object.assign(process.env, s3.env);
  const keys = Object.entries(s3.env).map(([name, value]) => `--from-literal=${name}=${value}`);
  await quartet.kubectl('create', 'secret', 'generic', 'ledger-s3', ...keys);
  await makeShard('ledger-a', 'ledger', { end: 'm' });
  await makeShard('ledger-m', 'ledger', { start: 'm' });
  for (const name of ['ledger-a', 'ledger-m']) await untilReady(name);
});

afterAll(async () => {
  await s3.stop();
  await quartet.kubectl('delete', 'dbbackup', 'ledger-s3', 'ledger-disk', '--ignore-not-found');
  await quartet.kubectl('delete', 'secret/ledger-s3', 'pvc/ledger-disk', '--ignore-not-found', '--wait=false');
  for (const name of shards) await quartet.kubectl('delete', 'dbshard', name, '--ignore-not-found', '--wait=false');
  // other files count what there is
  await eventually(async () => {
    const left = (await quartet.list('dbshards')).filter(({ metadata }) => shards.includes(metadata.name));
    expect(left).toEqual([]);
    for (const name of shards) expect(await quartet.pods(`db-${name}`)).toEqual([]);
  }, 60_000);
  rmSync(dir, { recursive: true, force: true });
});

/** Every key of a database with what it holds. */
const contentOf = async (redis: Redis): Promise<Record<string, unknown>> => {
  const keys = (await redis.keys('*')).toSorted();
  const read = async (key: string): Promise<unknown> => {
    const type = await redis.type(key);
    if (type === 'hash') return redis.hgetall(key);
    return type === 'list' ? redis.lrange(key, 0, -1) : redis.get(key);
  };
  const values = await Promise.all(keys.map(read));
  return Object.fromEntries(keys.map((key, i) => [key, values[i]]));
};

test('a DBBackup keeps its schedule, and what it wrote comes back whole in a new database', async () => {
  const redis = open('ledger');
  const names = Array.from({ length: 300 }, (_, i) => `${i % 2 === 0 ? 'a' : 'z'}-${i}`);
  await redis.mset(Object.fromEntries(names.map((name) => [name, `value of ${name}`])));
  await redis.hset('hash', { one: '1', two: '2' });
  const { bucket, endpoint } = s3;
  await makeBackup('ledger-s3', { s3: { bucket, prefix: 'nightly', endpoint, credentialsSecret: 'ledger-s3' } });
  await untilBackedUp('ledger-s3', 'True');
  await redis.rpush('queue', 'first', 'second');
  await redis.set('a-0', 'changed');
  const written = Date.now();
  await eventually(async () => {
    const { restorableUntil = '' } = await statusOf('ledger-s3');
    expect(Date.parse(restorableUntil)).toBeGreaterThan(written);
  }, 100_000);
  const status = await statusOf('ledger-s3');
  expect(status).toMatchObject({ failures: 0, backup: expect.stringMatching(/^default\/ledger\//) as string });
  expect(status.runs).toBeGreaterThanOrEqual(2);
  await makeShard('restored', 'restored', {});
  await untilReady('restored');
  const place = ['--from', `s3://${bucket}/nightly`, '--endpoint', endpoint];
  const said = await quartet.quartet('restore', ...place, '--to', 'restored');
  expect(said).toMatch(/restored holds 302 keys, compared by SHA-256/);
  const copy = open('restored');
  expect(await contentOf(copy)).toEqual(await contentOf(redis));
  for (const each of [redis, copy]) each.disconnect();
}, 300_000);

test('kubectl tells how it is, and one Event each what was done', async () => {
  expect(await quartet.kubectl('get', 'dbbackups')).toMatch(/^ledger-s3 +ledger +\* \* \* \* \* +True +True +Current/m);
  const events = await quartet.kubectl('get', 'events', '--field-selector', 'involvedObject.name=ledger-s3');
  expect(events).toMatch(/Normal +BackupDone .*backup-ledger-s3-1: \d+ bytes, restorable until/);
});

test('a volume takes backups, too; they stay when the resource is deleted', async () => {
  await quartet.apply({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'ledger-disk' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  });
  await makeBackup('ledger-disk', { volume: { claimName: 'ledger-disk', path: 'db' } });
  await untilBackedUp('ledger-disk', 'True');
  const volume = await quartet.kubectl('get', 'pvc', 'ledger-disk', '-o', 'jsonpath={.spec.volumeName}');
  const path = await quartet.kubectl('get', 'pv', volume, '-o', 'jsonpath={.spec.hostPath.path}');
  await quartet.kubectl('delete', 'dbbackup', 'ledger-disk');
  // by hand it is gone on with
  expect(await quartet.quartet('backup', 'ledger', '--to', join(path, 'db'))).toMatch(/^went on with /m);
  expect(existsSync(join(path, 'db'))).toBe(true);
  expect(readdirSync(join(path, 'db'))).toEqual(['default']);
  expect(await quartet.quartet('restore', '--from', join(path, 'db'), '--check')).toMatch(/^whole: /m);
});

test('when the place of backups is away it says so, what to do, and when it is tried again', async () => {
  await s3.stop();
  await quartet.kubectl('annotate', 'dbbackup', 'ledger-s3', 'quartet.dev/backup-now=2', '--overwrite');
  const message = await untilBackedUp('ledger-s3', 'False');
  expect(message).toMatch(/^s3:\/\/backups\/nightly .*ECONNREFUSED.*: does it run, is this the right endpoint/);
  const { lastSuccessTime, restorableUntil, failures } = await statusOf('ledger-s3');
  expect(lastSuccessTime).toBeDefined();
  expect(restorableUntil).toBeDefined();
  expect(failures).toBeGreaterThanOrEqual(1);
});
