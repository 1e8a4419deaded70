import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ApiClient } from '../api/client.ts';
import type { Pod } from '../api/objects.ts';
import { kubeconfig } from '../control-plane/credentials.ts';

/** A token is asked for again when this share of its life has passed. */
const renewAt = 0.8;
const lifeSeconds = 3600;

interface TokenRequest {
  readonly status: { readonly token: string; readonly expirationTimestamp: string };
}

export interface TokenOptions {
  readonly client: ApiClient;
  readonly pod: Pod;
  readonly dir: string;
  /** PEM file for the kubeconfig. */
  readonly certificate: string;
}

const writeWhole = async (path: string, text: string): Promise<void> => {
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await rename(`${path}.new`, path);
};

/**
 * The identity of a pod at the API server: a token of its service account, bound to the pod, in a file, and a kubeconfig that
 * names the file. Renewed before it expires, until stopped.
 */
export class ServiceAccountToken {
  readonly #options: TokenOptions;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: TokenOptions) {
    this.#options = options;
  }

  /** Path of the kubeconfig. @throws ApiError */
  async start(): Promise<string> {
    const { client, pod, dir, certificate } = this.#options;
    const tokenFile = join(dir, 'token');
    const path = join(dir, 'kubeconfig');
    await mkdir(dir, { recursive: true, mode: 0o700 });
    await this.#renew(tokenFile);
    const namespace = pod.metadata.namespace ?? 'default';
    // The JavaScript client reads the file again only when told by this auth provider.
    const user = { 'auth-provider': { name: 'tokenFile', config: { tokenFile } } };
    await writeWhole(path, kubeconfig({ url: client.url, certificate, user, namespace }));
    return path;
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #renew(tokenFile: string): Promise<void> {
    const { client, pod } = this.#options;
    const { name, namespace, uid } = pod.metadata;
    const account = pod.spec.serviceAccountName ?? 'default';
    const { status } = await client.post<TokenRequest>(
      `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`,
      {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { expirationSeconds: lifeSeconds, boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid } },
      },
    );
    await writeWhole(tokenFile, status.token);
    this.#renewLater(tokenFile, (Date.parse(status.expirationTimestamp) - Date.now()) * renewAt);
  }

  #renewLater(tokenFile: string, delayMs: number): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#renew(tokenFile).catch(() => this.#renewLater(tokenFile, 10_000 * (0.5 + Math.random())));
    }, delayMs);
    this.#timer.unref();
  }
}
