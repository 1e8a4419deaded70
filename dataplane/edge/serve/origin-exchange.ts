import type { Readable } from 'node:stream';
import { type Dispatcher, Pool } from 'undici';
import type { RawFields } from '../policy/fields.ts';
import { EdgeError } from './edge-error.ts';

export interface OriginRequest {
  /** http://host:port */
  readonly origin: string;
  readonly method: string;
  readonly target: string;
  readonly fields: RawFields;
  readonly body: Readable | null;
}

/** What an exchange reports, in this order: interims, head, data, then end or error; an error may come at any time. */
export interface ExchangeListener {
  onInterim(status: number, fields: RawFields): void;
  onHead(status: number, reason: string, fields: RawFields): void;
  onData(chunk: Buffer): void;
  onEnd(): void;
  onError(error: EdgeError): void;
}

/** The flow of one exchange. All are without effect once it is over. */
export interface Exchange {
  pause(): void;
  resume(): void;
  abort(): void;
}

/** Deadlines in ms, bounds in numbers. */
export interface OriginLimits {
  readonly connectMs: number;
  readonly headersMs: number;
  readonly idleMs: number;
  readonly connections: number;
  /** Exchanges under way and waiting, per origin. */
  readonly exchanges: number;
}

export const defaultOriginLimits: OriginLimits = {
  connectMs: 3_000,
  headersMs: 20_000,
  idleMs: 20_000,
  connections: 128,
  exchanges: 2_048,
};

const codes: Readonly<Record<string, EdgeError['code']>> = {
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
  UND_ERR_HEADERS_OVERFLOW: 'bad-response',
  UND_ERR_RESPONSE_EXCEEDED_MAX_SIZE: 'bad-response',
};

function toEdgeError(error: Error): EdgeError {
  if (error instanceof EdgeError) return error;
  const code = (error as { code?: string }).code ?? '';
  const known = codes[code] ?? (code.startsWith('HPE_') ? 'bad-response' : 'unreachable');
  return new EdgeError(known, `origin: ${error.message}`, error);
}

const decodeFields = (raw: unknown): string[] =>
  Array.isArray(raw)
    ? raw.map((text: Buffer | string) => (typeof text === 'string' ? text : text.toString('latin1')))
    : [];

class Running implements Exchange, Dispatcher.DispatchHandler {
  private controller: Dispatcher.DispatchController | undefined;
  private over = false;
  private gaveUp = false;
  private started = false;
  private readonly listener: ExchangeListener;
  private readonly onOver: () => void;
  private readonly retry: ((running: Running) => void) | undefined;
  private retried = false;

  constructor(listener: ExchangeListener, onOver: () => void, retry: ((running: Running) => void) | undefined) {
    this.listener = listener;
    this.onOver = onOver;
    this.retry = retry;
  }

  pause(): void {
    if (!this.over) this.controller?.pause();
  }

  resume(): void {
    if (!this.over) this.controller?.resume();
  }

  abort(): void {
    if (this.over) return;
    this.gaveUp = true;
    this.controller?.abort(new EdgeError('aborted', 'the exchange was given up'));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    if (this.gaveUp) controller.abort(new EdgeError('aborted', 'the exchange was given up'));
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    reason: string | undefined,
  ): void {
    const fields = decodeFields(controller.rawHeaders);
    if (status < 200) {
      this.listener.onInterim(status, fields);
      return;
    }
    this.started = true;
    this.listener.onHead(status, reason ?? '', fields);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.listener.onData(chunk);
  }

  onResponseEnd(): void {
    this.finish();
    this.listener.onEnd();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    // RFC 9110 section 9.2.2: a request that may be repeated is, once, when a kept-alive connection closed under it.
    const closed = (error as { code?: string }).code === 'UND_ERR_SOCKET' || /ECONNRESET|EPIPE/.test(error.message);
    if (closed && !this.started && !this.gaveUp && this.retry !== undefined && !this.retried) {
      this.retried = true;
      this.retry(this);
      return;
    }
    this.fail(error);
  }

  fail(error: Error): void {
    if (this.over) return;
    this.finish();
    this.listener.onError(toEdgeError(error));
  }

  private finish(): void {
    this.over = true;
    this.onOver();
  }
}

interface Origin {
  readonly pool: Pool;
  exchanges: number;
}

/** Connection pools to origins, one for each. */
export class OriginPools {
  private readonly origins = new Map<string, Origin>();
  private readonly limits: OriginLimits;

  constructor(limits: OriginLimits = defaultOriginLimits) {
    this.limits = limits;
  }

  /** Starts an exchange. Errors come to the listener, never as a throw; not before this call returned. */
  send(request: OriginRequest, listener: ExchangeListener): Exchange {
    const origin = this.origin(request.origin);
    const repeatable = request.body === null && (request.method === 'GET' || request.method === 'HEAD');
    const dispatch = (running: Running): void => this.dispatch(origin, request, running);
    const running = new Running(listener, () => origin.exchanges--, repeatable ? dispatch : undefined);
    origin.exchanges++;
    if (origin.exchanges > this.limits.exchanges) {
      queueMicrotask(() => running.fail(new EdgeError('overloaded', 'too many requests wait for the origin')));
    } else {
      dispatch(running);
    }
    return running;
  }

  /** Closes pools of origins that are not in the list, once their exchanges are over. */
  retain(origins: ReadonlySet<string>): void {
    for (const [url, origin] of this.origins) {
      if (origins.has(url)) continue;
      this.origins.delete(url);
      void origin.pool.close().catch(() => undefined);
    }
  }

  async close(): Promise<void> {
    const pools = [...this.origins.values()].map((origin) => origin.pool.destroy());
    this.origins.clear();
    await Promise.allSettled(pools);
  }

  private dispatch(origin: Origin, request: OriginRequest, running: Running): void {
    try {
      origin.pool.dispatch(
        {
          path: request.target,
          method: request.method,
          headers: request.fields as string[],
          body: request.body,
        },
        running,
      );
    } catch (error) {
      queueMicrotask(() => running.fail(error as Error));
    }
  }

  private origin(url: string): Origin {
    const known = this.origins.get(url);
    if (known !== undefined) return known;
    const { connectMs, headersMs, idleMs, connections } = this.limits;
    const pool = new Pool(url, {
      connections,
      pipelining: 1,
      connect: { timeout: connectMs },
      headersTimeout: headersMs,
      bodyTimeout: idleMs,
      keepAliveTimeout: 4_000,
      maxHeaderSize: 64 * 1024,
    });
    const origin: Origin = { pool, exchanges: 0 };
    this.origins.set(url, origin);
    return origin;
  }
}
