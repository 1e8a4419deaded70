import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import { ResponseStore } from '../cache/response-store.ts';
import { cacheName, type ForwardReason } from '../policy/cache-status.ts';
import { rangeWithin } from '../policy/ranges.ts';
import { decideReuse, timeToLive } from '../policy/reuse.ts';
import type { StoredResponse } from '../policy/stored-response.ts';
import type { EdgeConfig } from './edge-config.ts';
import { type BadRequest, readRequest } from './edge-request.ts';
import { LoadMeter } from './load-meter.ts';
import { OriginPools } from './origin-exchange.ts';
import { OriginSide } from './origin-side.ts';
import { type Client, type Identity, isPlain, sendHit, sendOwn, sendStored, sendStoredPart } from './respond.ts';

/** Which stored responses a purge removes. */
export interface PurgeSelection {
  /** Cache keys: host and target. */
  readonly keys: readonly string[];
  /** Starts of cache keys. */
  readonly prefixes: readonly string[];
  readonly tags: readonly string[];
}

/**
 * An HTTP cache between clients and origins: looks into the store, decides by the policy, and asks the origin side for
 * what is missing.
 */
export class Edge {
  readonly meter = new LoadMeter();
  private readonly store: ResponseStore;
  private readonly pools: OriginPools;
  private readonly origin: OriginSide;
  private readonly identity: Identity;
  private config: EdgeConfig;
  /** Responses received before this time (ms) are validated before use. */
  private staleBefore = 0;

  constructor(config: EdgeConfig, pools: OriginPools = new OriginPools()) {
    this.config = config;
    this.pools = pools;
    this.store = new ResponseStore(config.memoryBytes);
    this.identity = { id: config.id, cacheName: cacheName(config.name) };
    this.origin = new OriginSide({
      store: this.store,
      pools,
      identity: this.identity,
      meter: this.meter,
      config: () => this.config,
    });
  }

  get storedBytes(): number {
    return this.store.storedBytes;
  }

  get usedBytes(): number {
    return this.store.usedBytes;
  }

  get objects(): number {
    return this.store.size;
  }

  /** Takes a new configuration; what is stored stays, as far as it still fits. */
  reconfigure(config: EdgeConfig): void {
    this.config = config;
    this.store.resize(config.memoryBytes);
    this.pools.retain(new Set(config.origins.map((origin) => origin.url)));
  }

  /** Removes stored responses and dooms fetches under way, so that nothing older than the purge is served after it. */
  purge(selection: PurgeSelection): number {
    let count = 0;
    for (const key of selection.keys) count += this.store.purgeKey(key);
    for (const prefix of selection.prefixes) count += this.store.purgePrefix(prefix);
    for (const tag of selection.tags) count += this.store.purgeTag(tag);
    this.origin.doom(selection);
    return count;
  }

  /** Has everything that is stored now validated before its next use: purges may have been missed. */
  expireAll(now: number): void {
    this.staleBefore = now;
    this.origin.doom({ keys: [], prefixes: [''], tags: [] });
  }

  async close(): Promise<void> {
    await this.pools.close();
  }

  /** Answers one request. Never throws. */
  handle(message: IncomingMessage, response: ServerResponse): void {
    const startedAt = performance.now();
    const request = readRequest(message);
    if ('refused' in request) {
      refuse(response, request);
      return;
    }
    const client: Client = { request, response, startedAt };
    try {
      if (isCacheable(client)) this.lookup(client, message);
      else this.origin.pass(client, message);
    } catch (error) {
      fail(client, this.identity, error);
    }
  }

  private lookup(client: Client, message: IncomingMessage): void {
    const { request } = client;
    const now = Date.now();
    const found = this.store.find(request.key, request.fields);
    if (found.whole !== undefined) {
      this.reuse(client, found.whole, now, message);
      return;
    }
    if (found.parts.length > 0 && this.servePart(client, found.parts, now)) return;
    const reason: ForwardReason = missReason(found.parts.length, found.variants);
    if (request.directives.onlyIfCached) {
      // RFC 9111 section 5.2.1.7.
      const message = 'nothing stored satisfies the request';
      sendOwn(
        client,
        { status: 504, reason: 'Gateway Timeout', message, outcome: { hit: false, forward: reason } },
        this.identity,
      );
      return;
    }
    this.origin.fetch(client, { reason, stored: undefined, message });
  }

  private reuse(client: Client, stored: StoredResponse, now: number, message: IncomingMessage): void {
    const { request } = client;
    const decision = decideReuse(stored, request.directives, now, this.staleBefore);
    if (decision.kind === 'validate') {
      this.origin.fetch(client, { reason: decision.reason, stored, message });
      return;
    }
    this.meter.count(now, true, stored.body.byteLength);
    if (isPlain(request)) sendHit(client, stored, this.identity, now);
    else sendStored(client, stored, { hit: true, ttlSeconds: timeToLive(stored, now) }, this.identity, now);
    if (decision.kind === 'serve-and-revalidate') this.origin.revalidate(request, stored);
  }

  private servePart(client: Client, parts: readonly StoredResponse[], now: number): boolean {
    const { request } = client;
    const { range } = request;
    if (range === undefined || request.method !== 'GET' || request.ifRange !== undefined) return false;
    for (const stored of parts) {
      if (stored.part === undefined) continue;
      if (decideReuse(stored, request.directives, now, this.staleBefore).kind !== 'serve') continue;
      const { first, last, requested } = stored.part;
      const within = requested === range ? { first, last } : rangeWithin(range, stored.part);
      if (within === undefined) continue;
      this.meter.count(now, true, within.last - within.first + 1);
      sendStoredPart(client, stored, within, this.identity, now);
      return true;
    }
    return false;
  }
}

/** Requests that the cache looks at: the rest goes to the origin as it is. */
const isCacheable = ({ request }: Client): boolean =>
  (request.method === 'GET' || request.method === 'HEAD') && !request.hasBody && !request.hasOriginPreconditions;

function missReason(parts: number, variants: number): ForwardReason {
  if (parts > 0) return 'partial';
  return variants > 0 ? 'vary-miss' : 'uri-miss';
}

/** RFC 9112 section 2.2: a malformed request gets an error and its connection is closed. */
function refuse(response: ServerResponse, { refused, status }: BadRequest): void {
  const body = Buffer.from(`${STATUS_CODES[status]}: ${refused}\n`);
  response.writeHead(status, STATUS_CODES[status], [
    'Content-Type',
    'text/plain; charset=utf-8',
    'Content-Length',
    String(body.byteLength),
    'Connection',
    'close',
  ]);
  response.end(body);
}

function fail(client: Client, identity: Identity, error: unknown): void {
  const { response } = client;
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const message = error instanceof Error ? error.message : 'unknown fault';
  sendOwn(
    client,
    { status: 502, reason: 'Bad Gateway', message, outcome: { hit: false, forward: 'bypass' } },
    identity,
  );
}
