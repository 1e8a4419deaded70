import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, readdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { LocalError } from './errors.ts';

const run = promisify(execFile);

/** How to ask a program for its version, and which answers fit. */
interface Program {
  readonly versionArgs: readonly string[];
  readonly fits: RegExp;
}

const kubernetes = /\bv1\.34\.\d+/;
const programs = {
  etcd: { versionArgs: ['--version'], fits: /\b3\.6\.\d+/ },
  'kube-apiserver': { versionArgs: ['--version'], fits: kubernetes },
  'kube-controller-manager': { versionArgs: ['--version'], fits: kubernetes },
  'kube-scheduler': { versionArgs: ['--version'], fits: kubernetes },
  kubectl: { versionArgs: ['version', '--client'], fits: kubernetes },
  kubeconform: { versionArgs: ['-v'], fits: /\bv0\.[7-9]\.\d+/ },
  helm: { versionArgs: ['version', '--short'], fits: /\bv3\.(1[4-9]|[2-9]\d)\b/ },
  'nats-server': { versionArgs: ['--version'], fits: /\bv2\.1[1-9]\.\d+/ },
} as const satisfies Record<string, Program>;

/** A Go program that Quartet runs. */
export type ToolName = keyof typeof programs;
/** All of them. */
export const toolNames = Object.keys(programs) as ToolName[];

/** The Go module that builds the tools. */
export const toolsModule = join(import.meta.dirname, '..', 'hack', 'tools');

const isExecutable = async (path: string): Promise<boolean> => {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/** Every file that decides what the build gives: module files and Go sources, sorted by path. */
const sourcesOf = async (module: string): Promise<string[]> => {
  const entries = await readdir(module, { recursive: true });
  return entries.filter((path) => /\.go$|go\.(mod|sum)$/.test(path)).sort();
};

/**
 * The directory that holds the built programs of this checkout:
 * `${XDG_CACHE_HOME:-~/.cache}/quartet/tools/<hash of module and sources>/bin`.
 * Another version of any tool is another directory, so checkouts share builds and never disturb each other.
 */
export const toolsCache = async (module: string = toolsModule): Promise<string> => {
  const hash = createHash('sha256');
  for (const path of await sourcesOf(module)) {
    hash.update(`${path}\0`).update(await readFile(join(module, path)));
  }
  const cache = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  return join(cache, 'quartet', 'tools', hash.digest('hex').slice(0, 16), 'bin');
};

const versionFits = async (name: ToolName, path: string): Promise<boolean> => {
  try {
    const { stdout, stderr } = await run(path, [...programs[name].versionArgs], { timeout: 10_000 });
    return programs[name].fits.test(stdout + stderr);
  } catch {
    return false;
  }
};

const onPath = async (name: ToolName): Promise<string | undefined> => {
  for (const directory of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(directory, name);
    if (directory !== '' && (await isExecutable(path))) {
      return (await versionFits(name, path)) ? path : undefined;
    }
  }
  return undefined;
};

/** Where a tool is: QUARTET_TOOLS_DIR, else PATH if the version fits, else the cache; undefined when it must be built. */
export const findTool = async (name: ToolName): Promise<string | undefined> => {
  const given = process.env['QUARTET_TOOLS_DIR'];
  if (given !== undefined && (await isExecutable(join(given, name)))) return join(given, name);
  const found = await onPath(name);
  if (found !== undefined) return found;
  const cached = join(await toolsCache(), name);
  return (await isExecutable(cached)) ? cached : undefined;
};

const known = new Map<ToolName, string>();

/**
 * The absolute path of a tool, found once per process.
 * @throws LocalError `tool-missing`, which says how to get it.
 */
export const tool = async (name: ToolName): Promise<string> => {
  const path = known.get(name) ?? (await findTool(name));
  if (path === undefined) throw new LocalError('tool-missing', `${name} is not built: run \`make tools\` first`);
  known.set(name, path);
  return path;
};
