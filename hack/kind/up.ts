import { table } from '../../cli/table.ts';
import { buildQuartetImage, nameOf, type ImageName } from '../image/build.ts';
import { buildNatsImage, natsImageName } from '../image/nats.ts';
import { kubeconfig } from './cache.ts';
import { ensureCluster, nodesOf } from './cluster.ts';
import { ports } from './config.ts';
import { ensureDocker } from './docker.ts';
import { applyHostServices, applySamples, installCharts, release } from './install.ts';
import { kindTools, type KindTools } from './kind-tools.ts';
import { loadImage } from './load.ts';
import { builtNodeImage, publishedNodeImage } from './node-image.ts';
import { findImageSource, type ImageSource } from './registry.ts';
import { nodesMissing, resourcesMissing, waitFor, workloadsMissing } from './wait.ts';

/** Where steps and what they wait for are told; `Progress` of the command line is one. */
export interface Steps {
  step(name: string): void;
  detail(text: string): void;
}

/** A cluster that is up, with the image of this checkout in its nodes. */
export interface KindUp {
  readonly kubeconfig: string;
  readonly tools: KindTools;
  /** Names of the nodes' containers. */
  readonly nodes: readonly string[];
  readonly image: ImageName;
}

const clusterTimeoutMs = 180_000;
const installTimeoutMs = 240_000;
const resourcesTimeoutMs = 300_000;

const loadImages = async (source: ImageSource, nodes: readonly string[], steps: Steps): Promise<ImageName> => {
  steps.step('image');
  const image = await buildQuartetImage(source);
  const loads = [{ image: nameOf(image), as: [nameOf(image)] }];
  if (source === 'packages') loads.push({ image: await buildNatsImage(), as: [await natsImageName()] });
  steps.step(`${nameOf(image)} into the nodes`);
  for (const load of loads) await loadImage(load, nodes);
  return image;
};

/**
 * A cluster with the image of this checkout in its nodes, and nothing installed: makes what is missing of Docker, programs,
 * node image and cluster.
 * @throws KindError, LocalError `tool-missing`
 */
export const clusterUp = async (steps: Steps): Promise<KindUp> => {
  const tell = (text: string): void => steps.detail(text);
  steps.step('docker');
  await ensureDocker(tell);
  const { source, reason } = await findImageSource();
  steps.step(source === 'registry' ? `images are pulled (${reason})` : `images are built here (${reason})`);
  steps.step('kind, kubectl, helm');
  const tools = await kindTools(tell);
  steps.step('node image');
  const nodeImage = source === 'registry' ? publishedNodeImage : await builtNodeImage(tell);
  steps.step('cluster');
  await ensureCluster({ tools, image: nodeImage, reachesOut: source === 'registry' });
  const system = async (): Promise<string> => {
    const missing = [await nodesMissing(tools), await workloadsMissing(tools, 'kube-system')];
    return [...missing, await workloadsMissing(tools, 'local-path-storage')].filter((text) => text !== '').join(', ');
  };
  await waitFor({ what: 'the cluster is', timeoutMs: clusterTimeoutMs, look: system }, tell);
  const nodes = await nodesOf(tools);
  return { kubeconfig, tools, nodes, image: await loadImages(source, nodes, steps) };
};

/**
 * Installs the charts and applies the samples, or brings them to what this checkout has, and waits until all is Ready.
 * @throws KindError
 */
export const quartetUp = async ({ tools, image }: KindUp, steps: Steps): Promise<void> => {
  const tell = (text: string): void => steps.detail(text);
  steps.step('chart');
  await installCharts(tools, image);
  steps.step('operator, NATS');
  const look = (): Promise<string> => workloadsMissing(tools, release.namespace);
  await waitFor({ what: 'what the chart installs is', timeoutMs: installTimeoutMs, look }, tell);
  steps.step('samples');
  await applySamples(tools, image);
  await applyHostServices(tools);
  steps.step('resources');
  const resources = async (): Promise<string> =>
    (await resourcesMissing(tools)) || (await workloadsMissing(tools, 'default'));
  await waitFor({ what: 'resources are', timeoutMs: resourcesTimeoutMs, look: resources }, tell);
};

/** Where each service is reached, with a command that shows it. Pure. */
export const endpoints = ({ tools }: Pick<KindUp, 'tools'>): string =>
  table(
    ['SERVICE', 'ENDPOINT', 'TRY'],
    [
      ['content', `http://127.0.0.1:${ports.content}`, `curl -i http://127.0.0.1:${ports.content}/`],
      ['search', `http://127.0.0.1:${ports.search}`, `curl 'http://127.0.0.1:${ports.search}/_cat/indices?v'`],
      ['chat', `ws://127.0.0.1:${ports.chat}/connection/websocket`, 'npm package centrifuge, channel room:lobby'],
      ['database', `redis://127.0.0.1:${ports.database}`, `redis-cli -p ${ports.database} set greeting hello`],
      [
        'Kubernetes',
        `export KUBECONFIG=${kubeconfig}`,
        `${tools.kubectl} get edgenodes,searchshards,chatrooms,dbshards`,
      ],
    ],
  );
