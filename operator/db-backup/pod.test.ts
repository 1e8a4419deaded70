import { describe, expect, it, test } from 'vitest';
import { dbBackupSpec } from '../../crds/db-backup.ts';
import { encodeBackupReport } from '../../contract/backup-report.ts';
import type { DbBackup } from '../kinds.ts';
import type { Pod } from '../runtime/builtin.ts';
import { parseSettings } from '../settings.ts';
import { backupPod } from './pod.ts';
import { backupPolicy } from './policy.ts';
import { runOf } from './run.ts';

const settings = parseSettings({
  QUARTET_NATS_URL: 'nats://a:4222',
  QUARTET_IMAGE: 'quartet:1',
  QUARTET_NETWORK_POLICIES: 'true',
  QUARTET_NATS_INSTANCE: 'quartet',
});

const s3 = { bucket: 'buck', prefix: 'p/q', endpoint: 'http://minio.store:9000', credentialsSecret: 'keys' };

const backup = (destination: object): DbBackup =>
  ({
    apiVersion: 'quartet.dev/v1alpha1',
    kind: 'DBBackup',
    metadata: { name: 'nightly', namespace: 'shop', uid: 'u' },
    spec: dbBackupSpec.parse({ database: 'app', schedule: '@daily', destination }),
  }) as DbBackup;

const containerOf = ({ spec }: Pod) => spec?.containers[0];

describe('the pod of a run', () => {
  it('backs up into a bucket, with nothing of the Secret but credentials', () => {
    const container = containerOf(backupPod(backup({ s3 }), 3, settings));
    expect(container?.command?.join(' ')).toBe(
      'node dataplane/db/backup/main.ts backup app --namespace shop --to s3://buck/p/q --endpoint http://minio.store:9000 --keep 7 --renew-after 82800s --deadline 3600s',
    );
    expect(container?.envFrom).toBeUndefined();
    const fromKeys = container?.env?.filter(({ valueFrom }) => valueFrom?.secretKeyRef?.name === 'keys');
    expect(fromKeys?.map(({ name }) => name)).toEqual([
      'AWS_ACCESS_KEY_ID',
      'AWS_SECRET_ACCESS_KEY',
      'AWS_SESSION_TOKEN',
    ]);
  });

  it('backs up into a volume', () => {
    const pod = backupPod(backup({ volume: { claimName: 'disk', path: 'db' } }), 3, settings);
    expect(containerOf(pod)?.command).toContain('/backups/db');
    expect(pod.spec?.volumes).toEqual([{ name: 'backups', persistentVolumeClaim: { claimName: 'disk' } }]);
    expect(containerOf(pod)?.volumeMounts).toEqual([{ name: 'backups', mountPath: '/backups' }]);
  });

  it('runs once, within its deadline, restricted, and without a token of the API', () => {
    const { spec } = backupPod(backup({ s3 }), 3, settings);
    expect(spec).toMatchObject({
      restartPolicy: 'Never',
      activeDeadlineSeconds: 3660,
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    });
    expect(spec?.containers[0]?.securityContext).toMatchObject({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
    });
  });
});

describe('its policy', () => {
  const portsOf = (destination: object) =>
    backupPolicy(backup(destination), settings)?.spec?.egress?.flatMap(({ to, ports }) =>
      to === undefined ? (ports ?? []).map(({ port }) => port) : [],
    );

  test.each([
    [{ s3 }, [9000, 53, 53]],
    [{ s3: { ...s3, endpoint: 'https://minio' } }, [443, 53, 53]],
    [{ s3: { bucket: 'bbb', credentialsSecret: 'keys' } }, [443, 53, 53]],
    [{ volume: { claimName: 'disk' } }, [53, 53]],
  ])('%j lets it reach the ports %j anywhere, and NATS', (destination, ports) => {
    expect(portsOf(destination)).toEqual(ports);
    const spec = backupPolicy(backup(destination), settings)?.spec;
    expect(spec?.ingress).toEqual([]);
    expect(spec?.egress?.at(-1)?.ports).toEqual([{ protocol: 'TCP', port: 4222 }]);
  });

  it('is none when policies are switched off', () => {
    expect(backupPolicy(backup({ s3 }), { ...settings, networkPolicies: null })).toBeNull();
  });
});

describe('what a pod tells', () => {
  const pod = (status: object): Pod =>
    ({ metadata: { name: 'backup-nightly-3', annotations: { 'quartet.dev/run': '3' } }, status }) as never;
  const ended = (phase: string, terminated: object, more: object = {}): Pod =>
    pod({ phase, containerStatuses: [{ state: { terminated } }], ...more });
  const done = { ok: true, backup: 'shop/app/1', bytes: 1, from: 1, until: 2 } as const;

  test.each<[string, Pod, unknown]>([
    ['it has not begun', pod({ phase: 'Pending' }), null],
    ['it works', pod({ phase: 'Running' }), null],
    ['it is done', ended('Succeeded', { exitCode: 0, message: encodeBackupReport(done) }), { ok: true, report: done }],
    ['it is done and did not say what', ended('Succeeded', { exitCode: 0 }), { ok: true, report: null }],
    [
      'it failed and said why',
      ended('Failed', { exitCode: 1, message: encodeBackupReport({ ok: false, message: 'no bucket' }) }),
      { ok: false, message: 'no bucket' },
    ],
    [
      'it crashed: the last line of its log',
      ended('Failed', { exitCode: 1, message: 'a\nTypeError: x\n' }),
      { ok: false, message: 'TypeError: x' },
    ],
    [
      'it was killed',
      ended('Failed', { exitCode: 137, reason: 'OOMKilled' }),
      { ok: false, message: 'the pod ended with code 137 (OOMKilled) and did not say why: look at its log' },
    ],
    [
      'it was evicted',
      pod({ phase: 'Failed', reason: 'Evicted', message: 'The node was low on memory' }),
      { ok: false, message: 'The node was low on memory' },
    ],
    [
      'it was ended at the deadline',
      pod({ phase: 'Failed', reason: 'DeadlineExceeded' }),
      { ok: false, message: expect.stringMatching(/^not done within the deadline/) as string },
    ],
  ])('%s', (_, made, end) => {
    expect(runOf(made)).toMatchObject({ number: 3, end });
  });

  test.each<[string, object, string]>([
    ['nothing while it is being made', { state: { waiting: { reason: 'ContainerCreating' } } }, ''],
    [
      'what it waits for',
      { state: { waiting: { reason: 'CreateContainerConfigError', message: 'secret "keys" not found' } } },
      'secret "keys" not found',
    ],
  ])('%s', (_, container, waits) => {
    expect(runOf(pod({ phase: 'Pending', containerStatuses: [container] })).waits).toBe(waits);
  });

  it('that no node takes it', () => {
    const conditions = [{ type: 'PodScheduled', status: 'False', message: '0/3 nodes: claim not found' }];
    expect(runOf(pod({ phase: 'Pending', conditions })).waits).toBe('0/3 nodes: claim not found');
  });
});
