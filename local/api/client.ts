import { Agent, request, type RequestOptions } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { text as readText } from 'node:stream/consumers';
import { LocalError } from '../errors.ts';

/** The API server refused a request. */
export class ApiError extends LocalError {
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;

  constructor(status: number, message: string, cause?: unknown) {
    super('request-failed', message, cause);
    this.name = 'ApiError';
    this.status = status;
  }
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** How a PATCH body is meant. */
export type PatchType = 'merge' | 'strategic-merge';

export interface ApiClientOptions {
  readonly url: string;
  readonly token: string;
  /** PEM that the server's certificate is checked against. Asked for at each attempt until it is there. */
  readonly certificate: () => Promise<Buffer>;
}

const deadlineMs = 15_000;

/** What the server said went wrong: `message` of its Status object, else the last line of the text. */
const messageOf = (body: string): string => {
  try {
    const status = JSON.parse(body) as { message?: unknown };
    return typeof status.message === 'string' ? status.message : body;
  } catch {
    return body.trim().split('\n').at(-1) ?? '';
  }
};

/**
 * The few Kubernetes calls that a kubelet makes, straight on node:https: no classes per kind, no validation, no memory.
 * Every request has a deadline; nothing is retried here.
 */
export class ApiClient {
  readonly url: string;
  readonly token: string;
  readonly #certificate: () => Promise<Buffer>;
  #agent: Agent | undefined;

  constructor(options: ApiClientOptions) {
    this.url = options.url;
    this.token = options.token;
    this.#certificate = options.certificate;
  }

  async #connections(): Promise<Agent> {
    this.#agent ??= new Agent({ keepAlive: true, maxSockets: 64, ca: await this.#certificate() });
    return this.#agent;
  }

  async #send(method: Method, path: string, body: unknown, options: RequestOptions): Promise<IncomingMessage> {
    const agent = await this.#connections();
    const text = body === undefined ? '' : JSON.stringify(body);
    const headers = {
      ...options.headers,
      authorization: `Bearer ${this.token}`,
      // Node sends no length of its own with DELETE, and the body would be taken for the next request.
      'content-length': Buffer.byteLength(text),
    };
    return new Promise((resolve, reject) => {
      const outgoing = request(new URL(path, this.url), { ...options, method, agent, headers }, resolve);
      outgoing.on('error', (error) => reject(new ApiError(0, `${method} ${path}: ${error.message}`, error)));
      outgoing.end(text);
    });
  }

  /**
   * Sends a request and reads the answer as text.
   * @throws ApiError
   */
  async text(method: Method, path: string, body?: unknown, type = 'application/json'): Promise<string> {
    const response = await this.#send(method, path, body, {
      headers: { 'content-type': type, accept: 'application/json' },
      signal: AbortSignal.timeout(deadlineMs),
    });
    const answer = await readText(response);
    const status = response.statusCode ?? 0;
    if (status >= 300) throw new ApiError(status, `${method} ${path}: ${messageOf(answer)}`);
    return answer;
  }

  /** @throws ApiError */
  async get<T>(path: string): Promise<T> {
    return JSON.parse(await this.text('GET', path)) as T;
  }

  /** Undefined when there is no such object. @throws ApiError */
  async find<T>(path: string): Promise<T | undefined> {
    try {
      return await this.get<T>(path);
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    }
  }

  /** @throws ApiError */
  async post<T>(path: string, body: unknown): Promise<T> {
    return JSON.parse(await this.text('POST', path, body)) as T;
  }

  /** @throws ApiError */
  async put<T>(path: string, body: unknown): Promise<T> {
    return JSON.parse(await this.text('PUT', path, body)) as T;
  }

  /** @throws ApiError */
  async patch<T>(path: string, body: unknown, type: PatchType = 'merge'): Promise<T> {
    return JSON.parse(await this.text('PATCH', path, body, `application/${type}-patch+json`)) as T;
  }

  /** Gone already is fine. @throws ApiError */
  async delete(path: string, body?: unknown): Promise<void> {
    try {
      await this.text('DELETE', path, body);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
    }
  }

  /**
   * Opens a response whose body is read while it grows (a watch).
   * @throws ApiError
   */
  async stream(path: string, signal: AbortSignal): Promise<IncomingMessage> {
    const response = await this.#send('GET', path, undefined, {
      headers: { accept: 'application/json' },
      signal,
    });
    const status = response.statusCode ?? 0;
    if (status >= 300) throw new ApiError(status, `GET ${path}: ${messageOf(await readText(response))}`);
    return response;
  }

  /** Closes idle connections. */
  close(): void {
    this.#agent?.destroy();
    this.#agent = undefined;
  }
}
