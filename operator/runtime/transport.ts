import http from 'node:http';
import https from 'node:https';
import type { Access } from './access.ts';
import { KubeError } from './kube-error.ts';

/** One HTTP request to the API server. */
export interface TransportRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly contentType?: string;
  readonly body?: string;
  /** A watch gets a connection of its own, outside of the pool. */
  readonly stream?: boolean;
  readonly signal: AbortSignal;
}

/** Credentials are read again after this time, so that a rotated token or certificate is used. */
const CREDENTIALS_TTL_MS = 10_000;
/** A peer that vanished is noticed after this time and ten probes a second apart. */
const KEEP_ALIVE_PROBE_MS = 15_000;
const MAX_CONNECTIONS = 32;

/**
 * HTTP to one API server; connections are kept alive and probed. Rejects with KubeError 'unavailable', or
 * with the signal's reason when that fires.
 */
export class Transport {
  readonly #access: Access;
  readonly #pool: http.Agent | undefined;
  readonly #streams: http.Agent | undefined;
  #credentials: { readonly options: https.RequestOptions; readonly at: number } | undefined;

  constructor(access: Access) {
    this.#access = access;
    if (access.ownAgent) return;
    const agentClass = access.server.protocol === 'http:' ? http.Agent : https.Agent;
    const common = { keepAlive: true, keepAliveMsecs: KEEP_ALIVE_PROBE_MS };
    this.#pool = new agentClass({ ...common, maxSockets: MAX_CONNECTIONS, maxFreeSockets: 4, timeout: 60_000 });
    this.#streams = new agentClass({ ...common, maxFreeSockets: 0 });
  }

  /** Resolves with the answer's head; the body is to be read or destroyed by the caller. */
  async send(request: TransportRequest): Promise<http.IncomingMessage> {
    const options = await this.#options(request);
    const { server } = this.#access;
    try {
      return await exchange(server, options, request);
    } catch (cause) {
      if (!mayRepeat(cause, request)) throw asKubeError(cause, request);
    }
    return exchange(server, options, request).catch((cause: unknown) => {
      throw asKubeError(cause, request);
    });
  }

  /** Forgets credentials: the server did not accept them. */
  forgetCredentials(): void {
    this.#credentials = undefined;
  }

  close(): void {
    this.#pool?.destroy();
    this.#streams?.destroy();
  }

  async #options(request: TransportRequest): Promise<https.RequestOptions> {
    const base = await this.#authorised();
    const agent = (request.stream ? this.#streams : this.#pool) ?? base.agent;
    const headers: http.OutgoingHttpHeaders = { ...(base.headers as http.OutgoingHttpHeaders) };
    headers['accept'] = 'application/json';
    headers['user-agent'] = 'quartet-operator';
    if (request.body !== undefined) {
      headers['content-type'] = request.contentType ?? 'application/json';
      headers['content-length'] = Buffer.byteLength(request.body);
    }
    return {
      ...base,
      agent,
      headers,
      method: request.method,
      path: `${this.#access.server.pathname.replace(/\/$/, '')}${request.path}`,
    };
  }

  async #authorised(): Promise<https.RequestOptions> {
    const now = performance.now();
    if (this.#credentials === undefined || now - this.#credentials.at > CREDENTIALS_TTL_MS) {
      const options = await this.#access.options().catch((cause: unknown) => {
        throw new KubeError('unauthorized', 'cannot load the credentials', { cause });
      });
      this.#credentials = { options, at: now };
    }
    return this.#credentials.options;
  }
}

class ReusedConnectionLost extends Error {}

function exchange(base: URL, options: https.RequestOptions, request: TransportRequest): Promise<http.IncomingMessage> {
  const { signal } = request;
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const open = base.protocol === 'http:' ? http.request : https.request;
    const message = open({ ...options, hostname: base.hostname.replace(/^\[|\]$/g, ''), port: base.port });
    const abort = (): void => void message.destroy(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    message.once('response', (response) => {
      response.once('close', () => signal.removeEventListener('abort', abort));
      resolve(response);
    });
    message.once('error', (error) => {
      signal.removeEventListener('abort', abort);
      if (signal.aborted) return reject(signal.reason);
      reject(message.reusedSocket ? new ReusedConnectionLost('lost', { cause: error }) : error);
    });
    message.end(request.body);
  });
}

/** A pooled connection that the server closed meanwhile says nothing about the server. */
function mayRepeat(cause: unknown, request: TransportRequest): boolean {
  return cause instanceof ReusedConnectionLost && request.method === 'GET' && !request.signal.aborted;
}

function asKubeError(cause: unknown, request: TransportRequest): KubeError {
  if (cause instanceof KubeError) return cause;
  const root = cause instanceof ReusedConnectionLost ? cause.cause : cause;
  const text = root instanceof Error ? root.message || (root as NodeJS.ErrnoException).code : String(root);
  return new KubeError('unavailable', `${request.method} ${request.path}: ${text}`, { cause: root });
}
