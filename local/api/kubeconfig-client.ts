import { readFile } from 'node:fs/promises';
import { ApiClient } from './client.ts';

/** The fields of the kubeconfigs that `control-plane/credentials.ts` writes. */
interface Kubeconfig {
  readonly clusters: readonly [
    { readonly cluster: { readonly server: string; readonly 'certificate-authority': string } },
  ];
  readonly users: readonly [{ readonly user: { readonly token: string } }];
}

/** A client for one of our own kubeconfigs, which are JSON. */
export const clientFor = async (kubeconfig: string): Promise<ApiClient> => {
  const config = JSON.parse(await readFile(kubeconfig, 'utf8')) as Kubeconfig;
  const { server, 'certificate-authority': certificate } = config.clusters[0].cluster;
  return new ApiClient({ url: server, token: config.users[0].user.token, certificate: () => readFile(certificate) });
};
