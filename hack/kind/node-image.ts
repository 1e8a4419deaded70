import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { debianImage } from '../image/system.ts';
import type { Tell } from '../tools/go-build.ts';
import { contentHash } from './cache.ts';
import { buildImage, imageId } from './docker.ts';
import { KindError } from './kind-error.ts';
import { nodePrograms, programsModule } from './programs.ts';
import { run, runForBytes, succeeds } from './run.ts';

/** The node image of kind v0.30.0 for Kubernetes 1.34, from its release notes. */
const published = 'kindest/node:v1.34.0@sha256:7416a61b42b1662ca6ca89f02028ac133a309a2a30ba309614e8ec94d976dc5a';

const source = join(import.meta.dirname, 'node');

/** Images by the names under which kubeadm looks for them; their content is in docs/decisions. */
const namesInside = (version: string): Readonly<Record<'kube' | 'coredns' | 'pause', readonly string[]>> => ({
  kube: [
    `registry.k8s.io/kube-apiserver:${version}`,
    `registry.k8s.io/kube-controller-manager:${version}`,
    `registry.k8s.io/kube-scheduler:${version}`,
    `registry.k8s.io/kube-proxy:${version}`,
    'registry.k8s.io/etcd:3.6.5-0',
    `docker.io/library/quartet-kube:${version}`,
  ],
  coredns: ['registry.k8s.io/coredns/coredns:v1.12.1'],
  pause: ['registry.k8s.io/pause:3.10.1'],
});

/** What `docker build` sees: our files, the programs, and the files of kind's own node image. */
const prepareContext = async (context: string, programs: string): Promise<void> => {
  const kind = (await run('go', ['list', '-m', '-f', '{{.Dir}}', 'sigs.k8s.io/kind'], { cwd: programsModule })).trim();
  await cp(join(source, 'Dockerfile'), join(context, 'Dockerfile'));
  await cp(join(source, 'files'), join(context, 'files'), { recursive: true });
  await cp(programs, join(context, 'programs'), { recursive: true, verbatimSymlinks: true });
  // Go keeps modules read-only; the copy is to be deleted again.
  await run('cp', ['-r', '--no-preserve=mode', join(kind, 'images', 'base', 'files'), join(context, 'kind')]);
};

/** As kind does: the images go into the node's containerd, and are unpacked when first used. */
const fillNode = async (container: string, stage: (name: string) => string, version: string): Promise<void> => {
  await run('docker', ['run', '-d', '--name', container, '--privileged', '--entrypoint', 'containerd', stage('node')]);
  const ctr = ['exec', '-i', container, 'ctr', '-n', 'k8s.io'];
  const deadline = performance.now() + 30_000;
  while (!(await succeeds('docker', [...ctr, 'version']))) {
    if (performance.now() > deadline)
      throw new KindError('build-failed', 'containerd does not start in the node image');
    await sleep(200);
  }
  const names = namesInside(version);
  const all = (['kube', 'coredns', 'pause'] as const).map((name) => ({ stage: stage(name), names: names[name] }));
  const archive = await runForBytes('docker', ['save', ...all.map(({ stage }) => stage)], { timeoutMs: 180_000 });
  const importing = { input: archive, timeoutMs: 180_000 };
  await run('docker', [...ctr, 'images', 'import', '--no-unpack', '-'], importing);
  for (const image of all) {
    await run('docker', [...ctr, 'images', 'tag', `docker.io/library/${image.stage}`, ...image.names]);
    await run('docker', [...ctr, 'images', 'rm', `docker.io/library/${image.stage}`]);
  }
  await run('docker', ['kill', '-s', 'TERM', container]);
  await run('docker', ['wait', container]);
};

const build = async (tag: string, programs: string, version: string, tell: Tell): Promise<void> => {
  const hash = tag.split(':')[1] ?? '';
  const stage = (name: string): string => `quartet-node-${name}:${hash}`;
  const container = `quartet-node-build-${hash}`;
  const context = await mkdtemp(join(tmpdir(), 'quartet-node-'));
  try {
    tell('Debian');
    const system = await debianImage('node');
    tell('node image: programs and packages');
    await prepareContext(context, programs);
    for (const target of ['kube', 'coredns', 'pause', 'node']) {
      await buildImage({ tag: stage(target), context, target, args: { SYSTEM: system } });
    }
    tell('node image: the images inside');
    await fillNode(container, stage, version);
    const entry = 'ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]';
    await run('docker', ['commit', '--change', entry, container, tag], { timeoutMs: 180_000 });
  } finally {
    await succeeds('docker', ['rm', '-f', '-v', container]);
    await rm(context, { recursive: true, force: true });
  }
};

/** Node images of other checkouts' versions take a gigabyte each; those in use stay. */
const removeOthers = async (tag: string): Promise<void> => {
  const repositories = ['quartet-node', ...['kube', 'coredns', 'pause', 'node'].map((name) => `quartet-node-${name}`)];
  for (const repository of repositories) {
    const tags = await run('docker', ['images', '--format', '{{.Repository}}:{{.Tag}}', repository]);
    const others = tags.split('\n').filter((other) => other !== '' && !other.endsWith(tag.split(':')[1] ?? ''));
    for (const other of others) await succeeds('docker', ['rmi', other]);
  }
};

/**
 * The node image without a registry, built unless it is there; its name is a hash of all that goes into it.
 * @returns its tag
 * @throws KindError `build-failed`, LocalError `tool-missing`
 */
export const builtNodeImage = async (tell: Tell): Promise<string> => {
  const tag = `quartet-node:${await contentHash(source, ['.'])}`;
  if ((await imageId(tag)) !== undefined) return tag;
  const programs = await nodePrograms(tell);
  const version = (await readFile(join(source, 'files', 'kind', 'version'), 'utf8')).trim();
  await build(tag, programs, version, tell);
  await removeOthers(tag);
  return tag;
};

/** The node image that kind's makers publish; Docker pulls it when the cluster is made. */
export const publishedNodeImage = published;
