import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImageName } from '../image/build.ts';
import { cacheFolder, kubeconfig } from './cache.ts';
import { hostServices } from './host-services.ts';
import type { KindTools } from './kind-tools.ts';
import { run } from './run.ts';

const repository = join(import.meta.dirname, '..', '..');
/** Where the chart is installed, and under which name. */
export const release = { name: 'quartet', namespace: 'quartet-system' } as const;

/** kubectl against the cluster. @throws KindError `command-failed` */
export const kubectl = (tools: KindTools, args: readonly string[], input = '', timeoutMs = 60_000): Promise<string> =>
  run(tools.kubectl, args, { env: { KUBECONFIG: kubeconfig }, input, timeoutMs });

/** Helm's caches belong to the cluster, not to the user's home. */
const helm = (tools: KindTools, args: readonly string[]): Promise<string> => {
  const folder = join(cacheFolder, 'helm');
  const homes = {
    HELM_CACHE_HOME: join(folder, 'cache'),
    HELM_CONFIG_HOME: join(folder, 'config'),
    HELM_DATA_HOME: join(folder, 'data'),
  };
  return run(tools.helm, args, { env: { KUBECONFIG: kubeconfig, ...homes }, timeoutMs: 120_000 });
};

/** Helm's values on kind: the image of this checkout, small volumes, a chat without passwords to try it out. Pure. */
export const chartValues = (image: ImageName): string[] => {
  const values: Readonly<Record<string, string>> = {
    'image.repository': image.repository,
    'image.tag': image.tag,
    'service.type': 'ClusterIP',
    'chat.development': 'true',
    'nats.storage.size': '2Gi',
  };
  return Object.entries(values).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
};

/** Installs the charts, or brings them to what this checkout has. @throws KindError `command-failed` */
export const installCharts = async (tools: KindTools, image: ImageName): Promise<void> => {
  const place = ['--namespace', release.namespace, '--create-namespace'];
  const crds = join(repository, 'charts', 'quartet-crds');
  // two releases cannot own the definitions
  const apart = existsSync(crds) ? ['--set', 'crds.install=false'] : [];
  if (apart.length > 0) await helm(tools, ['upgrade', '--install', 'quartet-crds', crds, ...place]);
  const chart = join(repository, 'charts', 'quartet');
  await helm(tools, ['upgrade', '--install', release.name, chart, ...place, ...apart, ...chartValues(image)]);
};

const apply = async (tools: KindTools, manager: string, text: string): Promise<void> => {
  await kubectl(tools, ['apply', '--server-side', `--field-manager=${manager}`, '-f', '-'], text);
};

/** Applies `crds/samples`, with the image of this checkout. @throws KindError `command-failed` */
export const applySamples = async (tools: KindTools, image: ImageName): Promise<void> => {
  const folder = join(repository, 'crds', 'samples');
  const files = (await readdir(folder)).filter((name) => name.endsWith('.yaml')).sort();
  const documents = await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')));
  await apply(tools, 'quartet-samples', withImage(documents.join('\n---\n'), image));
};

/** The samples name the image of the last release. Pure. */
export const withImage = (samples: string, { repository, tag }: ImageName): string =>
  samples.replaceAll(/^(\s*image: )quartet:\S+$/gm, `$1${repository}:${tag}`);

/** Fixed ports on this computer for the gateways. @throws KindError `command-failed` */
export const applyHostServices = (tools: KindTools): Promise<void> =>
  apply(tools, 'quartet-kind', JSON.stringify(hostServices()));
