import { durationMs } from '../../crds/duration.ts';
import type { DbBackup } from '../kinds.ts';
import {
  containerSecurity,
  labels,
  managedBy,
  natsEnvironment,
  podSecurity,
  shortTolerations,
} from '../pod-template.ts';
import type { Pod } from '../runtime/builtin.ts';
import type { Settings } from '../settings.ts';
import { nowAnnotation, requestOf, runAnnotation } from './run.ts';

/** Where a volume is mounted. */
const mountPath = '/backups';
/** The program gives up by itself; what does not even do that is ended by Kubernetes so much later, seconds. */
const marginSeconds = 60;

type Spec = DbBackup['spec'];
type Container = NonNullable<Pod['spec']>['containers'][number];

/** Labels of all that belongs to the runs of one resource. */
export const backupLabels = (name: string) => ({
  [labels.name]: 'quartet-db-backup',
  [labels.instance]: name,
  [labels.managedBy]: managedBy,
  [labels.partOf]: 'quartet',
});

const below = (place: string, path: string): string => (path === '' ? place : `${place}/${path}`);

const placeOf = ({ destination: { s3, volume } }: Spec): string[] => {
  if (s3 === undefined) return ['--to', below(mountPath, volume?.path ?? '')];
  const endpoint = s3.endpoint === undefined ? [] : ['--endpoint', s3.endpoint];
  return ['--to', below(`s3://${s3.bucket}`, s3.prefix), ...endpoint];
};

const seconds = (duration: string): number => Math.ceil(durationMs(duration) / 1000);

const commandOf = ({ metadata: { namespace = '' }, spec }: DbBackup): string[] => [
  'node',
  'dataplane/db/backup/main.ts',
  'backup',
  spec.database,
  '--namespace',
  namespace,
  ...placeOf(spec),
  '--keep',
  String(spec.keep),
  '--renew-after',
  `${seconds(spec.renewAfter)}s`,
  '--deadline',
  `${seconds(spec.deadline)}s`,
];

/** By name, one by one: a Secret must not set any other variable of the program. */
const credentials = ({ destination: { s3 } }: Spec): Container['env'] => {
  if (s3 === undefined) return [];
  const fromSecret = (name: string, optional: boolean) => ({
    name,
    valueFrom: { secretKeyRef: { name: s3.credentialsSecret, key: name, ...(optional && { optional }) } },
  });
  return [
    fromSecret('AWS_ACCESS_KEY_ID', false),
    fromSecret('AWS_SECRET_ACCESS_KEY', false),
    fromSecret('AWS_SESSION_TOKEN', true),
    { name: 'AWS_REGION', value: s3.region },
  ];
};

const containerOf = (backup: DbBackup, settings: Settings): Container => ({
  name: 'backup',
  image: settings.image,
  imagePullPolicy: settings.imagePullPolicy,
  command: commandOf(backup),
  env: [
    ...natsEnvironment('db', settings),
    ...(credentials(backup.spec) ?? []),
    { name: 'QUARTET_REPORT', value: '/dev/termination-log' },
  ],
  // What the program could not report itself is in the last lines of its log.
  terminationMessagePolicy: 'FallbackToLogsOnError',
  resources: { requests: { cpu: '100m', memory: '256Mi' } },
  securityContext: containerSecurity,
  ...(backup.spec.destination.volume === undefined ? {} : { volumeMounts: [{ name: 'backups', mountPath }] }),
});

/** Name of the pod of a run. */
export const podName = (backup: string, run: number): string => `backup-${backup}-${run}`;

/** The pod of a run, under Pod Security "restricted". It runs once. */
export const backupPod = (backup: DbBackup, run: number, settings: Settings): Pod => {
  const { name, namespace = '' } = backup.metadata;
  const { volume } = backup.spec.destination;
  const request = requestOf(backup.metadata);
  const volumes = [{ name: 'backups', persistentVolumeClaim: { claimName: volume?.claimName ?? '' } }];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: podName(name, run),
      namespace,
      labels: backupLabels(name),
      annotations: { [runAnnotation]: String(run), ...(request !== undefined && { [nowAnnotation]: request }) },
    },
    spec: {
      restartPolicy: 'Never',
      activeDeadlineSeconds: seconds(backup.spec.deadline) + marginSeconds,
      terminationGracePeriodSeconds: 20,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: podSecurity,
      tolerations: shortTolerations,
      containers: [containerOf(backup, settings)],
      ...(volume === undefined ? {} : { volumes }),
    },
  };
};
