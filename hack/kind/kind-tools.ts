import { findTool, tool, type ToolName } from '../../local/tools.ts';
import { buildTools } from '../tools/build.ts';
import type { Tell } from '../tools/go-build.ts';
import { kindProgram } from './programs.ts';
import { run } from './run.ts';

/** Absolute paths of the programs that handle a cluster. */
export interface KindTools {
  readonly kind: string;
  readonly kubectl: string;
  readonly helm: string;
}

/** Whether a kind can make our cluster: its kindnet enforces NetworkPolicies since 0.24, the pinned node needs 0.27. Pure. */
export const kindFits = (version: string): boolean => {
  const [, major = '0', minor = '0'] = /v?(\d+)\.(\d+)\.\d+/.exec(version) ?? [];
  return Number(major) > 0 || Number(minor) >= 27;
};

const onPath = async (): Promise<string | undefined> => {
  const said = await run('kind', ['version']).catch(() => '');
  return said !== '' && kindFits(said) ? 'kind' : undefined;
};

const built = async (name: ToolName, tell: Tell): Promise<string> => {
  if ((await findTool(name)) === undefined) await buildTools(tell);
  return tool(name);
};

/** kind, kubectl and helm: those on PATH if recent enough, else built from their Go modules. @throws LocalError `tool-missing` */
export const kindTools = async (tell: Tell): Promise<KindTools> => ({
  kubectl: await built('kubectl', tell),
  helm: await built('helm', tell),
  kind: (await onPath()) ?? (await kindProgram(tell)),
});
