import { execFile } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { tool } from '../../local/tools.ts';

/** An object of a rendered chart, as far as every object has it. */
export interface Rendered {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
}

const run = promisify(execFile);
const home = mkdtempSync(join(tmpdir(), 'quartet-helm-'));

/** The folder of a chart. */
export const chartDir = (name: string): string => join(import.meta.dirname, '..', name);

/** Runs helm with caches of its own; answers what it printed. */
export const helm = async (...args: readonly string[]): Promise<string> => {
  const env = { ...process.env, HELM_CACHE_HOME: home, HELM_CONFIG_HOME: home, HELM_DATA_HOME: home };
  const { stdout } = await run(await tool('helm'), [...args], { env, maxBuffer: 64 * 1024 * 1024 });
  return stdout;
};

/** `helm template` of a chart as release `quartet` in namespace `quartet-system`, with `--set` arguments. */
export const renderText = (chart: string, sets: readonly string[]): Promise<string> => {
  const flags = sets.flatMap((set) => ['--set', set]);
  const place = ['--kube-version', '1.34.0', '-n', 'quartet-system'];
  return helm('template', 'quartet', chartDir(chart), ...place, ...flags);
};

/** The objects in the text that {@link renderText} gives. */
export const objectsOf = <T extends Rendered = Rendered>(text: string): T[] =>
  parseAllDocuments(text)
    .map((document) => document.toJS() as T | null)
    .filter((object) => object !== null);

/** The objects of a chart; see {@link renderText}. */
export const render = async <T extends Rendered = Rendered>(
  chart: string,
  sets: readonly string[] = [],
): Promise<T[]> => objectsOf<T>(await renderText(chart, sets));
