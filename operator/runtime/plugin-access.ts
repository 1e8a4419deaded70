import type { RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import type { Access } from './access.ts';

/**
 * Access by client-node's reading of a kubeconfig: exec plug-ins, cloud
 * providers, proxies, merged files. The package is loaded at the first request.
 */
export function pluginAccess(path: string | undefined, server?: URL): Access {
  let config: Promise<KubeConfig> | undefined;
  const access = {
    server: server ?? new URL('https://unknown.invalid'),
    ownAgent: true,
    async options(): Promise<RequestOptions> {
      config ??= load(path);
      const options: RequestOptions = {};
      const loaded = await config;
      access.server = new URL(loaded.getCurrentCluster()?.server ?? access.server);
      await loaded.applyToHTTPSOptions(options);
      return options;
    },
  };
  return access;
}

async function load(path: string | undefined): Promise<KubeConfig> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  if (path === undefined) config.loadFromDefault();
  else config.loadFromFile(path);
  return config;
}
