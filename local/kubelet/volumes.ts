import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ApiClient } from '../api/client.ts';
import type { Claim, ConfigMap, Container, PersistentVolume, Pod, Secret, Volume, VolumeItem } from '../api/objects.ts';
import type { Mount } from './mounts.ts';

/** A volume cannot be made (yet): shown as the reason why the pod waits. */
export class VolumeProblem extends Error {}

const writeFiles = async (
  dir: string,
  files: ReadonlyMap<string, Buffer>,
  items: readonly VolumeItem[] | undefined,
): Promise<void> => {
  const wanted = items ?? [...files.keys()].map((key) => ({ key, path: key }));
  for (const { key, path } of wanted) {
    const content = files.get(key);
    if (content === undefined) continue;
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), content, { mode: 0o600 });
  }
};

/** The entries of a config map or secret, decoded. */
export const filesOf = (object: ConfigMap & Secret, kind: 'configMap' | 'secret'): Map<string, Buffer> => {
  const decode = (text: string): Buffer => Buffer.from(text, kind === 'secret' ? 'base64' : 'utf8');
  return new Map([
    ...Object.entries(object.data ?? {}).map(([key, value]) => [key, decode(value)] as const),
    ...Object.entries(object.binaryData ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')] as const),
  ]);
};

const claimed = async (client: ApiClient, namespace: string, name: string): Promise<string> => {
  const claim = await client.find<Claim>(`/api/v1/namespaces/${namespace}/persistentvolumeclaims/${name}`);
  if (claim === undefined) throw new VolumeProblem(`persistent volume claim ${name} does not exist`);
  const volume = claim.spec.volumeName ?? '';
  if (claim.status?.phase !== 'Bound' || volume === '') throw new VolumeProblem(`claim ${name} is not bound`);
  const path = (await client.find<PersistentVolume>(`/api/v1/persistentvolumes/${volume}`))?.spec.hostPath?.path;
  if (path === undefined) throw new VolumeProblem(`volume ${volume} of claim ${name} has no directory`);
  return path;
};

interface Place {
  readonly client: ApiClient;
  readonly namespace: string;
  readonly dir: string;
}

/** A volume made of the entries of an object. */
interface Source {
  readonly kind: 'configMap' | 'secret';
  readonly name: string;
  readonly optional?: boolean;
  readonly items?: readonly VolumeItem[];
}

const sourceOf = ({ secret, configMap }: Volume): Source | undefined => {
  if (secret !== undefined) return { ...secret, kind: 'secret', name: secret.secretName };
  return configMap === undefined ? undefined : { ...configMap, kind: 'configMap' };
};

const writeObject = async (place: Place, source: Source): Promise<void> => {
  const collection = source.kind === 'secret' ? 'secrets' : 'configmaps';
  const path = `/api/v1/namespaces/${place.namespace}/${collection}/${source.name}`;
  const object = await place.client.find<ConfigMap & Secret>(path);
  if (object !== undefined) await writeFiles(place.dir, filesOf(object, source.kind), source.items);
  else if (source.optional !== true) throw new VolumeProblem(`${source.kind} ${source.name} does not exist`);
};

const directoryOf = async (place: Place, volume: Volume): Promise<string> => {
  if (volume.persistentVolumeClaim !== undefined) {
    return claimed(place.client, place.namespace, volume.persistentVolumeClaim.claimName);
  }
  if (volume.hostPath !== undefined) return volume.hostPath.path;
  await mkdir(place.dir, { recursive: true });
  const source = sourceOf(volume);
  if (source !== undefined) await writeObject(place, source);
  return place.dir;
};

/**
 * Makes the directories of a pod's volumes and fills those with content.
 * @returns volume name -> directory
 * @throws VolumeProblem ApiError
 */
export const makeVolumes = async (client: ApiClient, pod: Pod, podDir: string): Promise<Map<string, string>> => {
  const namespace = pod.metadata.namespace ?? 'default';
  const directories = new Map<string, string>();
  for (const volume of pod.spec.volumes ?? []) {
    if (volume.projected !== undefined) continue;
    const dir = join(podDir, 'volumes', volume.name);
    directories.set(volume.name, await directoryOf({ client, namespace, dir }, volume));
  }
  return directories;
};

/** A container's mounts of these volumes. */
export const mountsOf = (container: Container, volumes: ReadonlyMap<string, string>): Mount[] =>
  (container.volumeMounts ?? []).flatMap(({ name, mountPath, subPath }) => {
    const directory = volumes.get(name);
    return directory === undefined ? [] : [{ mountPath, directory: subPath ? join(directory, subPath) : directory }];
  });
