import { mkdir, mkdtemp, readdir, rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { findTool, toolNames, toolsCache, toolsModule, type ToolName } from '../../local/tools.ts';
import { goBuild, locked, requireGo, type Tell } from './go-build.ts';

/** What one `go build` makes. Seconds are for two cores and an empty build cache. */
interface Target {
  readonly name: string;
  readonly source: string;
  readonly makes: readonly ToolName[];
  readonly coldSeconds: number;
}

const targets: readonly Target[] = [
  { name: 'nats-server', source: 'github.com/nats-io/nats-server/v2', makes: ['nats-server'], coldSeconds: 40 },
  { name: 'etcd', source: './etcd', makes: ['etcd'], coldSeconds: 50 },
  {
    name: 'kube',
    source: './kube',
    makes: ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubectl'],
    coldSeconds: 360,
  },
  {
    name: 'kubeconform',
    source: 'github.com/yannh/kubeconform/cmd/kubeconform',
    makes: ['kubeconform'],
    coldSeconds: 15,
  },
  { name: 'helm', source: 'helm.sh/helm/v3/cmd/helm', makes: ['helm'], coldSeconds: 30 },
];

const build = async ({ name, source, makes, coldSeconds }: Target, out: string, tell: Tell): Promise<void> => {
  await goBuild({ name, module: toolsModule, sources: [source], out, coldSeconds }, tell);
  if (name !== 'kube') return;
  for (const link of makes) await symlink('kube', join(out, link));
};

const missingTools = async (): Promise<ToolName[]> => {
  const found = await Promise.all(toolNames.map(async (name) => [name, await findTool(name)] as const));
  return found.filter(([, path]) => path === undefined).map(([name]) => name);
};

const buildAll = async (bin: string, missing: readonly ToolName[], tell: Tell): Promise<void> => {
  await requireGo();
  // Built beside its place and moved there whole: a build that is cut short leaves nothing that looks complete.
  const parent = dirname(bin);
  const prefix = `.${basename(parent)}-`;
  for (const name of await readdir(dirname(parent))) {
    if (name.startsWith(prefix)) await rm(join(dirname(parent), name), { recursive: true, force: true });
  }
  const temporary = await mkdtemp(join(dirname(parent), prefix));
  try {
    const out = join(temporary, 'bin');
    await mkdir(out);
    for (const target of targets) {
      if (target.makes.some((name) => missing.includes(name))) await build(target, out, tell);
    }
    const built = await readdir(out);
    const kept = (await readdir(bin).catch(() => [])).filter((name) => !built.includes(name));
    for (const name of kept) await rename(join(bin, name), join(out, name));
    await rm(parent, { recursive: true, force: true });
    await rename(temporary, parent);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
};

/**
 * Builds the Go programs that are neither on PATH in a version that fits nor in the cache.
 * @throws LocalError `tool-missing` when Go is missing or a build fails
 */
export const buildTools = async (tell: Tell): Promise<void> => {
  if ((await missingTools()).length === 0) return;
  const bin = await toolsCache();
  const cache = dirname(dirname(bin));
  await mkdir(cache, { recursive: true });
  await locked(join(cache, `${basename(dirname(bin))}.lock`), tell, async () => {
    const missing = await missingTools();
    if (missing.length > 0) await buildAll(bin, missing, tell);
  });
};
