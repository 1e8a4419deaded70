import { createHash } from 'node:crypto';
import { link, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { imageId } from './docker.ts';
import { run, runForBytes } from './run.ts';

/** manifest.json of `docker save`. */
const savedSchema = z.array(z.object({ Config: z.string(), Layers: z.array(z.string()) })).length(1);
const configSchema = z.object({ rootfs: z.object({ diff_ids: z.array(z.string()) }) });

/** An image to put in nodes: what Docker calls it here, and what pods call it. */
export interface Load {
  readonly image: string;
  readonly as: readonly string[];
}

const ociLayer = 'application/vnd.oci.image.layer.v1.tar';

/**
 * Names of an image's layers in a snapshotter: each is a hash of itself and those below (OCI image spec, "Layer ChainID").
 * Pure.
 */
export const chainIds = (diffIds: readonly string[]): string[] => {
  const chain: string[] = [];
  for (const diffId of diffIds) {
    const below = chain.at(-1);
    const id =
      below === undefined ? diffId : `sha256:${createHash('sha256').update(`${below} ${diffId}`).digest('hex')}`;
    chain.push(id);
  }
  return chain;
};

const digestOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** An image as `docker save` left it in a folder, with what a manifest needs. */
interface Saved {
  readonly folder: string;
  readonly config: Buffer;
  readonly layers: readonly {
    readonly file: string;
    readonly diffId: string;
    readonly size: number;
    readonly chainId: string;
  }[];
}

const save = async (image: string, folder: string): Promise<Saved> => {
  const archive = join(folder, 'saved.tar');
  await run('docker', ['save', '-o', archive, image], { timeoutMs: 180_000 });
  await run('tar', ['-xf', archive, '-C', folder], { timeoutMs: 180_000 });
  await rm(archive);
  const [saved] = savedSchema.parse(JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')));
  const config = await readFile(join(folder, saved?.Config ?? ''));
  const diffIds = configSchema.parse(JSON.parse(config.toString())).rootfs.diff_ids;
  const chain = chainIds(diffIds);
  const layers = (saved?.Layers ?? []).map(async (path, i) => {
    const file = join(folder, path);
    return { file, diffId: diffIds[i] ?? '', size: (await stat(file)).size, chainId: chain[i] ?? '' };
  });
  return { folder, config, layers: await Promise.all(layers) };
};

/** The digest of a saved layer: Docker before 25 names the folder otherwise and packs plain tars, whose digest is the diff id. */
const layerDigest = ({ file, diffId }: Saved['layers'][number]): string =>
  basename(dirname(file)) === 'sha256' ? `sha256:${basename(file)}` : diffId;

/** Media type by digest: a layer that is packed has another than its content. */
const layerType = (layer: Saved['layers'][number]): string =>
  layerDigest(layer) === layer.diffId ? ociLayer : `${ociLayer}+gzip`;

/** A tar of an OCI image layout with only the layers that a node lacks; the manifest names all. */
const layoutFor = async (saved: Saved, names: readonly string[], there: ReadonlySet<string>): Promise<Buffer> => {
  const root = await mkdtemp(join(saved.folder, 'layout-'));
  const blobs = join(root, 'blobs', 'sha256');
  await mkdir(blobs, { recursive: true });
  const put = async (bytes: Buffer): Promise<{ digest: string; size: number }> => {
    await writeFile(join(blobs, digestOf(bytes)), bytes);
    return { digest: `sha256:${digestOf(bytes)}`, size: bytes.length };
  };
  const config = { mediaType: 'application/vnd.oci.image.config.v1+json', ...(await put(saved.config)) };
  const layers = saved.layers.map((layer) => ({
    mediaType: layerType(layer),
    digest: layerDigest(layer),
    size: layer.size,
  }));
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = await put(Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config, layers })));
  for (const layer of saved.layers.filter(({ chainId }) => !there.has(chainId))) {
    await link(layer.file, join(blobs, layerDigest(layer).slice('sha256:'.length))).catch(ignoreTwice);
  }
  const manifests = names.map((name) => ({
    mediaType,
    ...manifest,
    annotations: { 'io.containerd.image.name': name },
  }));
  await writeFile(join(root, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
  await writeFile(join(root, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  return runForBytes('tar', ['-c', '-C', root, '.'], { timeoutMs: 60_000 });
};

/** Two layers of an image may be equal: an empty one is. */
const ignoreTwice = (error: NodeJS.ErrnoException): void => {
  if (error.code !== 'EEXIST') throw error;
};

const ctr = (node: string, ...args: string[]): string[] => ['exec', '-i', node, 'ctr', '-n', 'k8s.io', ...args];

/** Digests of images by name, from `ctr images ls`. Pure. */
export const digestsOf = (listing: string): ReadonlyMap<string, string> => {
  const rows = listing.split('\n').slice(1);
  return new Map(rows.map((row) => row.trim().split(/\s+/)).map(([name = '', , digest = '']) => [name, digest]));
};

const imagesOn = async (node: string): Promise<ReadonlyMap<string, string>> =>
  digestsOf(await run('docker', ctr(node, 'images', 'ls')));

const layersOn = async (node: string): Promise<ReadonlySet<string>> => {
  const lines = (await run('docker', ctr(node, 'snapshots', '--snapshotter', 'overlayfs', 'ls'))).split('\n').slice(1);
  return new Set(lines.map((line) => line.trim().split(/\s+/)[0] ?? ''));
};

/** `quartet:1` is `docker.io/library/quartet:1` for containerd. Pure. */
export const fullName = (name: string): string => {
  const [first = '', ...rest] = name.split('/');
  if (rest.length === 0) return `docker.io/library/${name}`;
  return /[.:]|^localhost$/.test(first) ? name : `docker.io/${name}`;
};

const loadOn = async (node: string, saved: Saved, names: readonly string[]): Promise<void> => {
  const options = ['images', 'import', '--all-platforms', '--snapshotter', 'overlayfs', '-'];
  const load = async (there: ReadonlySet<string>): Promise<void> => {
    const input = await layoutFor(saved, names, there);
    await run('docker', ctr(node, ...options), { input, timeoutMs: 180_000 });
  };
  const there = await layersOn(node);
  // A containerd that insists on all layers gets them.
  await load(there).catch((error: unknown) => {
    if (there.size === 0) throw error;
    return load(new Set());
  });
};

/**
 * Puts an image into the containerd of nodes; a node gets only the layers that it has not, so another version of the code
 * takes seconds. Nodes that have it already are left alone.
 * @returns how many nodes got it
 * @throws KindError `command-failed`
 */
export const loadImage = async ({ image, as }: Load, nodes: readonly string[]): Promise<number> => {
  const names = as.map(fullName);
  const id = (await imageId(image)) ?? image;
  // This name says which content is there; what pods ask for must be the same content.
  const mark = `docker.io/library/quartet-loaded:${id.replace('sha256:', '').slice(0, 12)}`;
  const have = await Promise.all(nodes.map(imagesOn));
  const hasIt = (images: ReadonlyMap<string, string> | undefined): boolean =>
    images?.has(mark) === true && names.every((name) => images.get(name) === images.get(mark));
  const lacking = nodes.filter((_, i) => !hasIt(have[i]));
  if (lacking.length === 0) return 0;
  const folder = await mkdtemp(join(tmpdir(), 'quartet-load-'));
  try {
    const saved = await save(image, folder);
    for (const node of lacking) await loadOn(node, saved, [...names, mark]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return lacking.length;
};
