import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { ApiError, type ApiClient } from '../api/client.ts';
import type { Claim, PersistentVolume } from '../api/objects.ts';
import { Watch } from '../api/watch.ts';
import { reasonOf } from '../errors.ts';

const provisioner = 'quartet.dev/local';
/** The classes that `make up` makes: the first is the default. */
const classes = [
  { name: 'quartet-local', reclaimPolicy: 'Delete', isDefault: 'true' },
  { name: 'quartet-local-retain', reclaimPolicy: 'Retain', isDefault: 'false' },
] as const;

/** What the scheduler writes on a claim when it has chosen the pod's node. */
const selectedNode = 'volume.kubernetes.io/selected-node';

/** The volume for a claim: a directory, usable on one node only. Pure. */
export const volumeFor = (claim: Claim, node: string, directory: string): Record<string, unknown> => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: {
    name: `pvc-${claim.metadata.uid}`,
    annotations: { 'pv.kubernetes.io/provisioned-by': provisioner },
  },
  spec: {
    capacity: { storage: claim.spec.resources?.requests?.storage ?? '1Gi' },
    accessModes: claim.spec.accessModes ?? ['ReadWriteOnce'],
    persistentVolumeReclaimPolicy: classes.find(({ name }) => name === claim.spec.storageClassName)?.reclaimPolicy,
    storageClassName: claim.spec.storageClassName,
    hostPath: { path: directory, type: 'Directory' },
    claimRef: {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      namespace: claim.metadata.namespace,
      name: claim.metadata.name,
      uid: claim.metadata.uid,
    },
    nodeAffinity: {
      required: {
        nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }] }],
      },
    },
  },
});

/** The node for which a claim needs a volume now, else undefined. Pure. */
export const nodeWaitingFor = (claim: Claim): string | undefined => {
  const ours = classes.some(({ name }) => name === claim.spec.storageClassName);
  const open = claim.metadata.deletionTimestamp === undefined && (claim.spec.volumeName ?? '') === '';
  return ours && open ? claim.metadata.annotations?.[selectedNode] : undefined;
};

export interface ProvisionerOptions {
  readonly client: ApiClient;
  readonly log: Logger;
  /** Where the directories of volumes are made. */
  readonly dir: string;
}

/** Makes a volume for each claim of our storage classes once its pod has a node, and removes those that are released. */
export class Provisioner {
  readonly #options: ProvisionerOptions;
  readonly #watches: readonly [Watch<Claim>, Watch<PersistentVolume>];

  constructor(options: ProvisionerOptions) {
    this.#options = options;
    const { client, log } = options;
    const onTrouble = (reason: string): void => log.debug({ reason }, 'watch broke, watching again');
    this.#watches = [
      new Watch<Claim>({
        client,
        path: '/api/v1/persistentvolumeclaims',
        onChange: (key, claim) => claim && this.#attempt(key, () => this.#provision(claim)),
        onTrouble,
      }),
      new Watch<PersistentVolume>({
        client,
        path: '/api/v1/persistentvolumes',
        onChange: (key, volume) => volume && this.#attempt(key, () => this.#reclaim(volume)),
        onTrouble,
      }),
    ];
  }

  /** Makes the storage classes and begins. @throws ApiError */
  async start(): Promise<void> {
    await mkdir(this.#options.dir, { recursive: true });
    for (const { name, reclaimPolicy, isDefault } of classes) {
      const path = '/apis/storage.k8s.io/v1/storageclasses';
      if ((await this.#options.client.find(`${path}/${name}`)) !== undefined) continue;
      await this.#options.client.post(path, {
        apiVersion: 'storage.k8s.io/v1',
        kind: 'StorageClass',
        metadata: { name, annotations: { 'storageclass.kubernetes.io/is-default-class': isDefault } },
        provisioner,
        reclaimPolicy,
        volumeBindingMode: 'WaitForFirstConsumer',
      });
    }
    for (const watch of this.#watches) watch.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#watches.map((watch) => watch.stop()));
  }

  /** A failure is tried again a few times; the next change of the object is another chance. */
  #attempt(key: string, act: () => Promise<void>, left = 5): void {
    act().catch((error: unknown) => {
      this.#options.log.warn({ key, reason: reasonOf(error) }, 'volume work failed');
      if (left > 0) setTimeout(() => this.#attempt(key, act, left - 1), 500 + Math.random() * 500).unref();
    });
  }

  async #provision(claim: Claim): Promise<void> {
    const node = nodeWaitingFor(claim);
    if (node === undefined) return;
    const directory = join(
      this.#options.dir,
      `${claim.metadata.namespace}_${claim.metadata.name}_${claim.metadata.uid}`,
    );
    await mkdir(directory, { recursive: true });
    try {
      await this.#options.client.post('/api/v1/persistentvolumes', volumeFor(claim, node, directory));
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 409) throw error;
    }
  }

  async #reclaim(volume: PersistentVolume): Promise<void> {
    const ours = volume.metadata.annotations?.['pv.kubernetes.io/provisioned-by'] === provisioner;
    const directory = volume.spec.hostPath?.path ?? '';
    if (!ours || volume.status?.phase !== 'Released' || volume.spec.persistentVolumeReclaimPolicy !== 'Delete') return;
    // Only what lies in our own directory is ours to remove, whatever somebody wrote into the object.
    if (directory.startsWith(`${this.#options.dir}/`)) await rm(directory, { recursive: true, force: true });
    await this.#options.client.delete(`/api/v1/persistentvolumes/${volume.metadata.name}`);
  }
}
