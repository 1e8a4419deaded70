import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, open, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { LocalError } from '../../local/errors.ts';
import { findTool, toolNames, toolsCache, toolsModule, type ToolName } from '../../local/tools.ts';

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
  { name: 'helm', source: 'helm.sh/helm/v3/cmd/helm', makes: ['helm'], coldSeconds: 30 },
];

/** Hears what is being built, and for how long. */
export type Tell = (text: string) => void;

/** The version of a module in go.mod. */
const versionOf = async (module: string): Promise<string> => {
  const text = await readFile(join(toolsModule, 'go.mod'), 'utf8');
  return new RegExp(String.raw`${module} (v\S+)`).exec(text)?.[1] ?? 'v0.0.0';
};

/** Kubernetes and helm print (and check) these; a plain `go build` leaves them empty. */
const linkerFlags = async (): Promise<string> => {
  const kubernetes = await versionOf('k8s.io/kubernetes');
  const [major = '', minor = ''] = kubernetes.slice(1).split('.');
  const values: Readonly<Record<string, string>> = {
    gitVersion: kubernetes,
    gitMajor: major,
    gitMinor: minor,
    gitTreeState: 'clean',
    gitCommit: '0'.repeat(40),
    buildDate: '2026-01-01T00:00:00Z',
  };
  const packages = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'];
  const kube = packages.flatMap((name) => Object.entries(values).map(([key, value]) => `-X ${name}.${key}=${value}`));
  const helm = `-X helm.sh/helm/v3/internal/version.version=${await versionOf('helm.sh/helm/v3')}`;
  return ['-s -w', ...kube, helm].join(' ');
};

const requireGo = async (): Promise<void> => {
  const child = spawn('go', ['version'], { stdio: 'ignore' });
  const ended = await once(child, 'exit').catch(() => undefined);
  if (ended !== undefined && ended[0] === 0) return;
  const wanted = 'etcd, Kubernetes, helm and nats-server are built once';
  throw new LocalError('tool-missing', `Go is missing (1.26 or newer, https://go.dev/dl): ${wanted}`);
};

const build = async (target: Target, out: string, tell: Tell): Promise<void> => {
  const began = performance.now();
  let doing = 'compiling';
  const args = [
    'build',
    '-trimpath',
    '-buildvcs=false',
    '-ldflags',
    await linkerFlags(),
    '-o',
    `${out}/`,
    target.source,
  ];
  const child = spawn('go', args, {
    cwd: toolsModule,
    env: { ...process.env, CGO_ENABLED: '0' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const said: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (line.startsWith('go: downloading')) doing = line.slice('go: '.length);
    else said.push(line);
  });
  const timer = setInterval(() => {
    const seconds = Math.round((performance.now() - began) / 1000);
    tell(`${target.name}, ${seconds} s (about ${target.coldSeconds} s the first time): ${doing}`);
  }, 1000);
  tell(target.name);
  const [code] = (await once(child, 'close')) as [number | null];
  clearInterval(timer);
  if (code !== 0) {
    throw new LocalError(
      'tool-missing',
      `building ${target.name} failed: ${said.at(-1) ?? `go ended with code ${code}`}`,
    );
  }
  if (target.name !== 'kube') return;
  for (const name of target.makes) await symlink('kube', join(out, name));
};

const ownerAlive = async (lock: string): Promise<boolean> => {
  const pid = Number(await readFile(lock, 'utf8').catch(() => ''));
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** One build at a time: a file with the builder's pid. Another build is waited for; a lock whose owner is gone is taken over. */
const locked = async <T>(path: string, tell: Tell, act: () => Promise<T>): Promise<T> => {
  for (;;) {
    try {
      const file = await open(path, 'wx');
      await file.write(String(process.pid));
      await file.close();
      break;
    } catch {
      if (await ownerAlive(path)) {
        tell('another build runs, waiting for it');
        await sleep(500);
      } else {
        await rm(path, { force: true });
      }
    }
  }
  try {
    return await act();
  } finally {
    await rm(path, { force: true });
  }
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
