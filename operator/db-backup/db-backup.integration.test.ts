import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeBackupReport, type BackupReport } from '../../contract/backup-report.ts';
import { dbBackups, type DbBackup } from '../kinds.ts';
import { networkPolicies, pods, type Pod } from '../runtime/builtin.ts';
import type { KubeObject } from '../runtime/object.ts';
import { resource } from '../runtime/resource.ts';
import { OperatedCluster, until } from '../testing/operated-cluster.ts';
import { nowAnnotation } from './run.ts';

/** What the API server keeps of an Event. */
type Event = KubeObject & {
  readonly reason: string;
  readonly note: string;
  readonly regarding: { readonly name: string };
};
const events = resource<Event>('events.k8s.io/v1', 'Event', 'events');

const namespace = 'default';
let cluster: OperatedCluster;

beforeAll(async () => {
  cluster = await OperatedCluster.start({ QUARTET_NETWORK_POLICIES: 'true' });
}, 120_000);
afterAll(() => cluster?.stop());

const create = (name: string, spec: object = {}, annotations: Record<string, string> = {}): Promise<DbBackup> =>
  cluster.client.create(dbBackups, {
    apiVersion: 'quartet.dev/v1alpha1',
    kind: 'DBBackup',
    metadata: { name, namespace, annotations },
    spec: { database: 'app', schedule: '0 3 1 1 *', destination: { volume: { claimName: 'disk' } }, ...spec },
  } as unknown as DbBackup);

const get = (name: string): Promise<DbBackup> => cluster.client.get(dbBackups, { namespace, name });

const askFor = (name: string, value: string): Promise<DbBackup> =>
  cluster.client.merge(dbBackups, { namespace, name }, { metadata: { annotations: { [nowAnnotation]: value } } });

const podOf = (name: string, run: number): Promise<Pod> =>
  until(`run ${run} of ${name}`, () => cluster.client.get(pods, { namespace, name: `backup-${name}-${run}` }));

const podsOf = async (name: string): Promise<string[]> => {
  const labelSelector = `app.kubernetes.io/name=quartet-db-backup,app.kubernetes.io/instance=${name}`;
  return (await cluster.client.list(pods, { namespace, labelSelector })).items.map(({ metadata }) => metadata.name);
};

/** A condition, once it has the reason. */
const untilReason = (name: string, type: string, reason: string) =>
  until(`${name}: ${type} has reason ${reason}`, async () => {
    const found = (await get(name)).status?.conditions?.find((one) => one.type === type);
    return found?.reason === reason ? found : undefined;
  });

/** What a kubelet would write when the program has ended. */
const end = async (pod: Pod, report: BackupReport): Promise<void> => {
  const terminated = {
    exitCode: report.ok ? 0 : 1,
    reason: report.ok ? 'Completed' : 'Error',
    message: encodeBackupReport(report),
  };
  const status = {
    phase: report.ok ? 'Succeeded' : 'Failed',
    containerStatuses: [
      { name: 'backup', image: 'x', imageID: 'x', ready: false, restartCount: 0, state: { terminated } },
    ],
  };
  await cluster.client.merge(pods, pod.metadata, { status }, { subresource: 'status' });
};

const done = { ok: true, backup: 'default/app/1', bytes: 7, from: 1_000, until: 2_000 } as const;
const noted = async (name: string, reason: string): Promise<string[]> =>
  (await cluster.client.list(events, { namespace })).items
    .filter((event) => event.regarding.name === name && event.reason === reason)
    .map(({ note }) => note);

test('nothing begins before there is a database; then what was asked for does', async () => {
  await create('first', {}, { [nowAnnotation]: 'now' });
  const { message } = await untilReason('first', 'Ready', 'DatabaseMissing');
  expect(message).toMatch(/no DBShard of this namespace has spec.database app: make one/);
  expect(await podsOf('first')).toEqual([]);
  await cluster.create('app', { replicas: 1 });
  const pod = await podOf('first', 1);
  expect(pod.metadata.ownerReferences?.[0]).toMatchObject({ kind: 'DBBackup', name: 'first' });
  await untilReason('first', 'Progressing', 'BackingUp');
  expect((await get('first')).status).toMatchObject({ active: 'backup-first-1', request: 'now' });
}, 60_000);

test('its pods may reach NATS and names, and nobody reaches them', async () => {
  const policy = await cluster.client.get(networkPolicies, { namespace, name: 'quartet-backup-first' });
  expect(policy.spec?.ingress ?? []).toEqual([]);
  expect(policy.spec?.podSelector?.matchLabels).toMatchObject({ 'app.kubernetes.io/instance': 'first' });
});

test('a second request waits for the end of the first; a success is told once, and keeps the last pod for its log', async () => {
  await askFor('first', 'again');
  await end(await podOf('first', 1), done);
  await podOf('first', 2);
  const { message } = await untilReason('first', 'BackedUp', 'Current');
  expect(message).toBe('restorable from 1970-01-01T00:00:01.000Z until 1970-01-01T00:00:02.000Z');
  await end(await podOf('first', 2), done);
  await until('two runs are counted', async () => (await get('first')).status?.runs === 2);
  await until('the first pod is removed', async () => (await podsOf('first')).join() === 'backup-first-2');
  await until('one Event each', async () => (await noted('first', 'BackupDone')).length === 2);
}, 60_000);

test('a failure says why, and is tried again; an operator that starts in between neither forgets nor doubles it', async () => {
  await create('failing', {}, { [nowAnnotation]: '1' });
  await end(await podOf('failing', 1), {
    ok: false,
    message: 's3://b cannot be listed: there is no bucket b: make it first',
  });
  const { message } = await untilReason('failing', 'BackedUp', 'Failed');
  expect(message).toMatch(/there is no bucket b: make it first; next try at \d{4}-/);
  await until('it is told', async () => (await noted('failing', 'BackupFailed')).length === 1);
  await cluster.stopOperator();
  await cluster.startOperator();
  const retried = await until(
    'the next try',
    () => cluster.client.get(pods, { namespace, name: 'backup-failing-2' }),
    45_000,
  );
  await cluster.stopOperator();
  await end(retried, done);
  await cluster.startOperator();
  await untilReason('failing', 'BackedUp', 'Current');
  expect((await get('failing')).status).toMatchObject({ runs: 2, failures: 0 });
  expect(await noted('failing', 'BackupFailed')).toEqual([expect.stringMatching(/^backup-failing-1: s3:/)]);
}, 90_000);

test('a pod that somebody deletes is a run that failed', async () => {
  await create('deleted', {}, { [nowAnnotation]: '1' });
  const pod = await podOf('deleted', 1);
  await untilReason('deleted', 'Progressing', 'BackingUp');
  await cluster.client.delete(pods, pod.metadata, { gracePeriodSeconds: 0 });
  const { message } = await untilReason('deleted', 'BackedUp', 'Failed');
  expect(message).toMatch(/^its pod was deleted before it was done/);
}, 60_000);

test('a schedule that makes no sense, and a name that is taken, are told', async () => {
  await create('nonsense', { schedule: '0 0 30 2 *' });
  expect((await untilReason('nonsense', 'Ready', 'InvalidSchedule')).message).toMatch(/names no day that exists/);
  const metadata = { name: 'backup-taken-1', namespace };
  const spec = { containers: [{ name: 'mine', image: 'mine' }] };
  await cluster.client.create(pods, { apiVersion: 'v1', kind: 'Pod', metadata, spec } as Pod);
  await create('taken', {}, { [nowAnnotation]: '1' });
  expect((await untilReason('taken', 'ObjectsForeign', 'NameTaken')).message).toMatch(/Pod backup-taken-1/);
}, 60_000);
