import { deleteCluster } from './cluster.ts';
import { dockerAnswers, stopOurDocker } from './docker.ts';
import { kindTools } from './kind-tools.ts';
import type { Steps } from './up.ts';

/** Deletes the cluster, and stops Docker if it was started for it. Built images stay for the next time. @throws KindError */
export const down = async (steps: Steps): Promise<void> => {
  if (await dockerAnswers()) {
    steps.step('cluster');
    await deleteCluster(await kindTools((text) => steps.detail(text)));
  }
  steps.step('docker');
  await stopOurDocker();
};
