import type { ApiClient } from '../local/api/client.ts';
import { clientFor } from '../local/api/kubeconfig-client.ts';
import { LocalError } from '../local/errors.ts';
import type { Overview } from '../local/supervisor/control.ts';
import { findSupervisor } from '../local/supervisor/launch.ts';

/** The running instance. @throws LocalError `not-running` */
export const runningInstance = async (stateDir: string): Promise<Overview> => {
  const overview = await findSupervisor(stateDir);
  if (overview === undefined) throw new LocalError('not-running', 'Quartet is not running: `./quartet up` starts it');
  return overview;
};

/** A client with an administrator's rights. */
export const connect = ({ kubeconfig }: Overview): Promise<ApiClient> => clientFor(kubeconfig);
