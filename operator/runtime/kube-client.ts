import type { IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type {
  ApplyOptions,
  CallOptions,
  DeleteOptions,
  KubeClient,
  ListOptions,
  ListPage,
  MetadataPatch,
  WatchEvent,
  WatchOptions,
} from './client.ts';
import { startDeadline } from './deadline.ts';
import { type ApiStatus, errorFromStatus, isKubeError, KubeError } from './kube-error.ts';
import type { RuntimeMetrics } from './metrics.ts';
import type { KubeObject, ObjectRef } from './object.ts';
import { apiVersionOf, pathOf, type Resource, resourceName } from './resource.ts';
import type { TokenBucket } from './token-bucket.ts';
import type { Transport } from './transport.ts';
import { watchEvents } from './watch-stream.ts';

const DEADLINE_MS = 15_000;
const PAGE_LIMIT = 500;
/** The largest answer taken: a page of 500 objects at etcd's limit would be more, but then `limit` is wrong. */
const MAX_BODY_BYTES = 256 * 1024 * 1024;
const APPLY_PATCH = 'application/apply-patch+yaml';
const MERGE_PATCH = 'application/merge-patch+json';

interface Call {
  readonly verb: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** For metrics. */
  readonly resource: string;
  readonly path: string;
  readonly body?: object;
  readonly contentType?: string;
}

/** What a client is made of. */
export interface KubeClientParts {
  readonly transport: Transport;
  readonly bucket: TokenBucket;
  readonly metrics: RuntimeMetrics;
}

/** The KubeClient over HTTP. */
export class HttpKubeClient implements KubeClient {
  readonly #parts: KubeClientParts;

  constructor(parts: KubeClientParts) {
    this.#parts = parts;
  }

  get<T extends KubeObject>(resource: Resource<T>, ref: ObjectRef, options?: CallOptions): Promise<T> {
    return this.#json<T>(call('get', 'GET', resource, pathOf(resource, ref)), options);
  }

  async list<T extends KubeObject>(resource: Resource<T>, options: ListOptions = {}): Promise<ListPage<T>> {
    const query = search({
      labelSelector: options.labelSelector,
      fieldSelector: options.fieldSelector,
      limit: options.limit ?? PAGE_LIMIT,
      continue: options.continue,
      resourceVersion: options.continue === undefined ? options.resourceVersion : undefined,
    });
    const path = `${pathOf(resource, { namespace: options.namespace ?? '' })}${query}`;
    const page = await this.#json<{ items: T[] | null; metadata: { resourceVersion: string; continue?: string } }>(
      call('list', 'GET', resource, path),
      options,
    );
    // A list's items carry no type of their own.
    const type = { apiVersion: apiVersionOf(resource), kind: resource.kind };
    const items = (page.items ?? []).map((item) => ({ ...type, ...item }));
    const more = page.metadata.continue ? { continue: page.metadata.continue } : {};
    return { items, resourceVersion: page.metadata.resourceVersion, ...more };
  }

  async watch<T extends KubeObject>(
    resource: Resource<T>,
    options: WatchOptions,
  ): Promise<AsyncIterable<WatchEvent<T>>> {
    const query = search({
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: options.resourceVersion,
      timeoutSeconds: options.timeoutSeconds,
      labelSelector: options.labelSelector,
      fieldSelector: options.fieldSelector,
    });
    const path = `${pathOf(resource, { namespace: options.namespace ?? '' })}${query}`;
    const openMs = Math.min(DEADLINE_MS, options.quietMs);
    const opening = startDeadline(`watch ${resourceName(resource)}`, openMs, options.signal);
    const body = await this.#open(call('watch', 'GET', resource, path), opening.signal, true).finally(opening.release);
    const stop = (): void => void body.destroy(new KubeError('aborted', `watch ${resourceName(resource)}: given up`));
    options.signal?.addEventListener('abort', stop, { once: true });
    body.once('close', () => options.signal?.removeEventListener('abort', stop));
    if (options.signal?.aborted) stop();
    return watchEvents<T>(body, options.quietMs);
  }

  create<T extends KubeObject>(
    resource: Resource<T>,
    object: T,
    options?: CallOptions & { fieldManager?: string },
  ): Promise<T> {
    const path = pathOf(resource, { namespace: object.metadata.namespace ?? '' });
    const query = search({ fieldManager: options?.fieldManager });
    return this.#json<T>({ ...call('create', 'POST', resource, `${path}${query}`), body: object }, options);
  }

  replace<T extends KubeObject>(resource: Resource<T>, object: T, options?: CallOptions): Promise<T> {
    return this.#json<T>(
      { ...call('update', 'PUT', resource, pathOf(resource, object.metadata)), body: object },
      options,
    );
  }

  apply<T extends KubeObject>(resource: Resource<T>, object: T, options: ApplyOptions): Promise<T> {
    return this.#applyTo(resource, object, options);
  }

  applyStatus<T extends KubeObject>(resource: Resource<T>, object: T, options: ApplyOptions): Promise<T> {
    return this.#applyTo(resource, object, { ...options, subresource: 'status' });
  }

  patchMetadata<T extends KubeObject>(
    resource: Resource<T>,
    ref: ObjectRef & { readonly resourceVersion?: string; readonly uid?: string },
    patch: MetadataPatch,
    options?: CallOptions,
  ): Promise<T> {
    const { resourceVersion, uid } = ref;
    const precondition = { ...(resourceVersion && { resourceVersion }), ...(uid && { uid }) };
    return this.merge(resource, ref, { metadata: { ...patch, ...precondition } }, options);
  }

  merge<T extends KubeObject>(
    resource: Resource<T>,
    ref: ObjectRef,
    patch: object,
    options?: CallOptions & { subresource?: 'status' | 'scale' },
  ): Promise<T> {
    const path = pathOf(resource, ref, options?.subresource);
    const request = call('patch', 'PATCH', resource, path);
    return this.#json<T>({ ...request, body: patch, contentType: MERGE_PATCH }, options);
  }

  async delete(resource: Resource, ref: ObjectRef, options: DeleteOptions = {}): Promise<boolean> {
    const { uid, resourceVersion, gracePeriodSeconds, propagation } = options;
    const preconditions = { ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) };
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      preconditions,
      ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }),
      propagationPolicy: propagation ?? 'Background',
    };
    try {
      await this.#json({ ...call('delete', 'DELETE', resource, pathOf(resource, ref)), body }, options);
      return true;
    } catch (error) {
      if (isKubeError(error, 'not-found')) return false;
      throw error;
    }
  }

  raw(path: string, options?: CallOptions): Promise<string> {
    return this.#text({ verb: 'get', method: 'GET', resource: 'raw', path }, options);
  }

  close(): void {
    this.#parts.transport.close();
  }

  #applyTo<T extends KubeObject>(
    resource: Resource<T>,
    object: T,
    options: ApplyOptions & { subresource?: 'status' },
  ): Promise<T> {
    const query = search({ fieldManager: options.fieldManager, force: String(options.force ?? true) });
    const path = `${pathOf(resource, object.metadata, options.subresource)}${query}`;
    return this.#json<T>(
      { ...call('apply', 'PATCH', resource, path), body: object, contentType: APPLY_PATCH },
      options,
    );
  }

  async #json<T>(request: Call, options: CallOptions | undefined): Promise<T> {
    const text = await this.#text(request, options);
    try {
      return JSON.parse(text) as T;
    } catch (cause) {
      throw new KubeError('bad-answer', `${request.method} ${request.path}: not JSON`, { cause });
    }
  }

  async #text(request: Call, options: CallOptions = {}): Promise<string> {
    const deadline = startDeadline(
      `${request.verb} ${request.path}`,
      options.deadlineMs ?? DEADLINE_MS,
      options.signal,
    );
    const startedAt = performance.now();
    try {
      await this.#throttle(deadline.signal, deadline.left());
      const body = await this.#open(request, deadline.signal, false);
      return await readAll(body, request, deadline.signal);
    } finally {
      deadline.release();
      this.#parts.metrics.requestSeconds.observe({ verb: request.verb }, (performance.now() - startedAt) / 1000);
    }
  }

  async #throttle(signal: AbortSignal, leftMs: number): Promise<void> {
    const { bucket, metrics } = this.#parts;
    const waitMs = bucket.reserve();
    if (waitMs === 0) return;
    if (waitMs > leftMs) {
      bucket.giveBack();
      throw new KubeError('too-many-requests', 'the client-side rate limit leaves no time for this call');
    }
    metrics.throttledSeconds.inc(waitMs / 1000);
    await delay(waitMs, undefined, { signal }).catch(() => {
      bucket.giveBack();
      throw signal.reason;
    });
  }

  /** Sends and checks the status; the body of an accepted answer is the caller's to read. */
  async #open(request: Call, signal: AbortSignal, stream: boolean): Promise<IncomingMessage> {
    const { transport, metrics } = this.#parts;
    const labels = { method: request.method, resource: request.resource };
    let response: IncomingMessage;
    try {
      response = await transport.send({
        method: request.method,
        path: request.path,
        stream,
        signal,
        ...(request.contentType !== undefined && { contentType: request.contentType }),
        ...(request.body !== undefined && { body: JSON.stringify(request.body) }),
      });
    } catch (error) {
      metrics.requests.inc({ ...labels, code: isKubeError(error) ? error.code : 'error' });
      throw error;
    }
    const status = response.statusCode ?? 0;
    metrics.requests.inc({ ...labels, code: String(status) });
    if (status >= 200 && status < 300) return response;
    if (status === 401) transport.forgetCredentials();
    throw await refusal(response, request, signal);
  }
}

function call(verb: string, method: Call['method'], resource: Resource, path: string): Call {
  return { verb, method, resource: resourceName(resource), path };
}

function search(parameters: Readonly<Record<string, string | number | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== '') query.set(name, String(value));
  }
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}

async function readAll(body: IncomingMessage, request: Call, signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of body) {
      chunks.push(chunk as Buffer);
      size += (chunk as Buffer).length;
      if (size > MAX_BODY_BYTES) throw new KubeError('bad-answer', `${request.path}: the answer is too large`);
    }
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    if (cause instanceof KubeError) throw cause;
    throw new KubeError('unavailable', `${request.method} ${request.path}: the answer broke off`, { cause });
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function refusal(response: IncomingMessage, request: Call, signal: AbortSignal): Promise<KubeError> {
  const text = await readAll(response, request, signal);
  const status = parseStatus(text);
  const seconds = Number(response.headers['retry-after']);
  const error = errorFromStatus(response.statusCode ?? 0, status, Number.isFinite(seconds) ? seconds : undefined);
  return error;
}

function parseStatus(text: string): ApiStatus {
  try {
    const status = JSON.parse(text) as ApiStatus | null;
    if (status !== null && typeof status === 'object') return status;
  } catch {
    // not from the API server itself: a proxy's page
  }
  return { message: text.slice(0, 200).trim() || 'no explanation' };
}
