import type { CommandLine } from '../arguments.ts';
import { runningInstance } from '../connection.ts';
import { passToTool } from '../program.ts';

/** `kubectl …` against this instance. @throws LocalError `not-running` @returns kubectl's exit code */
export const kubectl = async ({ stateDir, words }: CommandLine): Promise<number> => {
  const { kubeconfig } = await runningInstance(stateDir);
  return passToTool('kubectl', words, { KUBECONFIG: kubeconfig });
};
