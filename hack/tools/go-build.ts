import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { LocalError } from '../../local/errors.ts';

/** Hears what is being built, and for how long. */
export type Tell = (text: string) => void;

/** What one `go build` makes. */
export interface GoBuild {
  /** For people. */
  readonly name: string;
  /** The folder of the Go module. */
  readonly module: string;
  /** Packages in it, or in what it requires. */
  readonly sources: readonly string[];
  /** Folder for the program. */
  readonly out: string;
  /** For two cores and an empty build cache. */
  readonly coldSeconds: number;
}

/** The version of a module in a go.mod. */
const versionOf = async (folder: string, module: string): Promise<string> => {
  const text = await readFile(join(folder, 'go.mod'), 'utf8');
  return new RegExp(String.raw`${module} (v\S+)`).exec(text)?.[1] ?? 'v0.0.0';
};

/** Kubernetes and helm print (and check) these; a plain `go build` leaves them empty. */
const linkerFlags = async (module: string): Promise<string> => {
  const kubernetes = await versionOf(module, 'k8s.io/kubernetes');
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
  const helm = `-X helm.sh/helm/v3/internal/version.version=${await versionOf(module, 'helm.sh/helm/v3')}`;
  return ['-s -w', ...kube, helm].join(' ');
};

/** @throws LocalError `tool-missing` when there is no Go */
export const requireGo = async (): Promise<void> => {
  const child = spawn('go', ['version'], { stdio: 'ignore' });
  const ended = await once(child, 'exit').catch(() => undefined);
  if (ended !== undefined && ended[0] === 0) return;
  const wanted = 'etcd, Kubernetes, helm and nats-server are built once';
  throw new LocalError('tool-missing', `Go is missing (1.26 or newer, https://go.dev/dl): ${wanted}`);
};

/** Runs `go build`, and says every second what it does. @throws LocalError `tool-missing` when it fails */
export const goBuild = async ({ name, module, sources, out, coldSeconds }: GoBuild, tell: Tell): Promise<void> => {
  const began = performance.now();
  let doing = 'compiling';
  const flags = ['-trimpath', '-buildvcs=false', '-ldflags', await linkerFlags(module)];
  const child = spawn('go', ['build', ...flags, '-o', `${out}/`, ...sources], {
    cwd: module,
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
    tell(`${name}, ${seconds} s (about ${coldSeconds} s the first time): ${doing}`);
  }, 1000);
  tell(name);
  const [code] = (await once(child, 'close')) as [number | null];
  clearInterval(timer);
  if (code === 0) return;
  throw new LocalError('tool-missing', `building ${name} failed: ${said.at(-1) ?? `go ended with code ${code}`}`);
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

/** One at a time: a file with the owner's pid. Another is waited for; a lock whose owner is gone is taken over. */
export const locked = async <T>(path: string, tell: Tell, act: () => Promise<T>): Promise<T> => {
  await mkdir(dirname(path), { recursive: true });
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
