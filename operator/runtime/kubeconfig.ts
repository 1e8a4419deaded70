import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { RequestOptions } from 'node:https';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';
import type { Access } from './access.ts';
import { KubeError } from './kube-error.ts';
import { pluginAccess } from './plugin-access.ts';

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

interface Cluster {
  readonly server: string;
  readonly 'certificate-authority'?: string;
  readonly 'certificate-authority-data'?: string;
  readonly 'insecure-skip-tls-verify'?: boolean;
  readonly 'tls-server-name'?: string;
  readonly 'proxy-url'?: string;
}

interface User {
  readonly token?: string;
  readonly tokenFile?: string;
  readonly 'client-certificate'?: string;
  readonly 'client-certificate-data'?: string;
  readonly 'client-key'?: string;
  readonly 'client-key-data'?: string;
  readonly 'auth-provider'?: { readonly config?: { readonly tokenFile?: string } };
}

interface Named {
  readonly name: string;
}

interface KubeconfigFile {
  readonly 'current-context'?: string;
  readonly contexts?: readonly (Named & { readonly context: { readonly cluster: string; readonly user: string } })[];
  readonly clusters?: readonly (Named & { readonly cluster: Cluster })[];
  readonly users?: readonly (Named & { readonly user: User | null })[];
}

/** What this file understands by itself; anything else in a user needs client-node's plug-ins. */
const PLAIN = new Set([
  'token',
  'tokenFile',
  'client-certificate',
  'client-certificate-data',
  'client-key',
  'client-key-data',
]);

/**
 * Finds the way to the API server: the file given, else KUBECONFIG, else the
 * service account of the pod that this runs in, else ~/.kube/config. Tokens and
 * certificates are understood here; for credential plug-ins, several files and
 * proxies client-node is loaded, which costs 85 MB of memory.
 * @throws KubeError 'unauthorized' when there is no usable configuration
 */
export function findAccess(file?: string): Access {
  const path = file ?? process.env['KUBECONFIG'];
  if (path === undefined && process.env['KUBERNETES_SERVICE_HOST'] !== undefined) return podAccess();
  const chosen = path ?? join(homedir(), '.kube', 'config');
  if (chosen.includes(delimiter)) return pluginAccess(undefined);
  try {
    return fileAccess(chosen);
  } catch (cause) {
    throw new KubeError('unauthorized', `cannot use the kubeconfig ${chosen}`, { cause });
  }
}

/** The service account of the pod. */
function podAccess(): Access {
  const host = process.env['KUBERNETES_SERVICE_HOST'] ?? '';
  const port = process.env['KUBERNETES_SERVICE_PORT'] ?? '443';
  const server = new URL(`https://${host.includes(':') ? `[${host}]` : host}:${port}`);
  const cluster = { server: server.href, 'certificate-authority': join(SERVICE_ACCOUNT, 'ca.crt') };
  return plainAccess(server, cluster, { tokenFile: join(SERVICE_ACCOUNT, 'token') });
}

function fileAccess(path: string): Access {
  const { cluster, user } = current(parse(readFileSync(path, 'utf8')) as KubeconfigFile);
  const server = new URL(cluster.server);
  if (cluster['proxy-url'] !== undefined || !isPlain(user)) return pluginAccess(path, server);
  const base = dirname(resolve(path));
  return plainAccess(server, absolute(cluster, base), absolute(user, base));
}

/** The cluster and the user of the current context. */
function current(config: KubeconfigFile): { readonly cluster: Cluster; readonly user: User } {
  const context = named(config.contexts, config['current-context'])?.context;
  const cluster = named(config.clusters, context?.cluster)?.cluster;
  if (cluster === undefined) throw new Error('it names no current cluster');
  return { cluster, user: named(config.users, context?.user)?.user ?? {} };
}

function named<T extends Named>(list: readonly T[] | undefined, name: string | undefined): T | undefined {
  return list?.find((item) => item.name === name);
}

function isPlain(user: User): boolean {
  const provided = user['auth-provider']?.config?.tokenFile !== undefined;
  return Object.keys(user).every((key) => PLAIN.has(key) || (provided && key === 'auth-provider'));
}

/** Paths in a kubeconfig are relative to it. */
function absolute<T extends object>(part: T, base: string): T {
  const files = ['certificate-authority', 'client-certificate', 'client-key', 'tokenFile'];
  const entries = Object.entries(part).map(([key, value]) => [
    key,
    files.includes(key) && typeof value === 'string' ? resolve(base, value) : value,
  ]);
  return Object.fromEntries(entries) as T;
}

function plainAccess(server: URL, cluster: Cluster, user: User): Access {
  const tokenFile = user.tokenFile ?? user['auth-provider']?.config?.tokenFile;
  const options = async (): Promise<RequestOptions> => {
    const token = tokenFile === undefined ? user.token : (await readFile(tokenFile, 'utf8')).trim();
    return {
      ...given('ca', await pem(cluster['certificate-authority'], cluster['certificate-authority-data'])),
      ...given('cert', await pem(user['client-certificate'], user['client-certificate-data'])),
      ...given('key', await pem(user['client-key'], user['client-key-data'])),
      ...given('servername', cluster['tls-server-name']),
      ...(cluster['insecure-skip-tls-verify'] && { rejectUnauthorized: false }),
      headers: { ...given('authorization', token && `Bearer ${token}`) },
    };
  };
  return { server, options, ownAgent: false };
}

async function pem(path: string | undefined, data: string | undefined): Promise<Buffer | undefined> {
  if (data !== undefined) return Buffer.from(data, 'base64');
  return path === undefined ? undefined : readFile(path);
}

function given<K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, V>);
}
