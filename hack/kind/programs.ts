import { mkdir, mkdtemp, readdir, rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { toolsCache } from '../../local/tools.ts';
import { goBuild, locked, requireGo, type GoBuild, type Tell } from '../tools/go-build.ts';

/** The Go module of what runs in the nodes. Its requirements are those of hack/tools and more, so the two share builds. */
export const programsModule = join(import.meta.dirname, 'node', 'programs');

/** Kubernetes is one program that does what its name says. */
const kubeNames = 'kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubelet kubeadm kubectl'.split(' ');

/** Programs of the nodes, and kind itself, in the order in which they are built. */
const builds: readonly Omit<GoBuild, 'out'>[] = [
  { name: 'Kubernetes', module: programsModule, sources: ['./kube'], coldSeconds: 340 },
  { name: 'etcd, pause', module: programsModule, sources: ['./etcd', './pause'], coldSeconds: 15 },
  {
    // apart: it spells an import in capitals
    name: 'local-path-provisioner',
    module: programsModule,
    sources: ['github.com/rancher/local-path-provisioner'],
    coldSeconds: 5,
  },
  // apart: CoreDNS needs a newer client-go, and what netpol requires would rebuild all of Kubernetes
  {
    name: 'CoreDNS, netpol',
    module: join(programsModule, 'network'),
    sources: ['./coredns', './netpol'],
    coldSeconds: 90,
  },
];
const kindBuild = { name: 'kind', module: programsModule, sources: ['sigs.k8s.io/kind'], coldSeconds: 10 };

const make = async (folder: string, wanted: readonly Omit<GoBuild, 'out'>[], tell: Tell): Promise<void> => {
  await requireGo();
  // Built beside its place and moved there whole: a build that is cut short leaves nothing that looks complete.
  const temporary = await mkdtemp(join(dirname(folder), `.${basename(folder)}-`));
  try {
    for (const build of wanted) await goBuild({ ...build, out: temporary }, tell);
    const built = await readdir(temporary);
    if (built.includes('kube')) for (const name of kubeNames) await symlink('kube', join(temporary, name));
    await rm(folder, { recursive: true, force: true });
    await rename(temporary, folder);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
};

/** Builds into `<cache>/<name>` unless that is there. @returns the folder */
const builtOnce = async (name: string, wanted: readonly Omit<GoBuild, 'out'>[], tell: Tell): Promise<string> => {
  const cache = dirname(await toolsCache(programsModule));
  const folder = join(cache, name);
  const isThere = async (): Promise<boolean> => (await readdir(folder).catch(() => [])).length > 0;
  if (await isThere()) return folder;
  await mkdir(cache, { recursive: true });
  await locked(join(cache, `${name}.lock`), tell, async () => {
    if (!(await isThere())) await make(folder, wanted, tell);
  });
  return folder;
};

/** The folder with everything that runs in the nodes, built if need be. @throws LocalError `tool-missing` */
export const nodePrograms = (tell: Tell): Promise<string> => builtOnce('node', builds, tell);

/** kind, built if need be. @throws LocalError `tool-missing` */
export const kindProgram = async (tell: Tell): Promise<string> =>
  join(await builtOnce('bin', [kindBuild], tell), 'kind');
