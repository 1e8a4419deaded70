import { readFile } from 'node:fs/promises';
import { ApiClient } from '../local/api/client.ts';
import { LocalError } from '../local/errors.ts';
import type { Overview } from '../local/supervisor/control.ts';
import { findSupervisor } from '../local/supervisor/launch.ts';

interface Kubeconfig {
  readonly clusters: readonly [
    { readonly cluster: { readonly server: string; readonly 'certificate-authority': string } },
  ];
  readonly users: readonly [{ readonly user: { readonly token: string } }];
}

/** The running instance. @throws LocalError `not-running` */
export const runningInstance = async (stateDir: string): Promise<Overview> => {
  const overview = await findSupervisor(stateDir);
  if (overview === undefined) throw new LocalError('not-running', 'Quartet is not running: `./quartet up` starts it');
  return overview;
};

/** A client with an administrator's rights. */
export const connect = async ({ kubeconfig }: Overview): Promise<ApiClient> => {
  const config = JSON.parse(await readFile(kubeconfig, 'utf8')) as Kubeconfig;
  const { server, 'certificate-authority': certificate } = config.clusters[0].cluster;
  return new ApiClient({ url: server, token: config.users[0].user.token, certificate: () => readFile(certificate) });
};
