import type { IncomingMessage } from 'node:http';
import type { ForwardReason } from '../policy/cache-status.ts';
import { invalidatedKeys } from '../policy/invalidation.ts';
import type { StoredResponse } from '../policy/stored-response.ts';
import { headConfirms, isAbout, validators } from '../policy/validation.ts';
import { selectingFields, variantKey, varyNames } from '../policy/vary.ts';
import { Delivery, type Need, type OriginSideOptions, type ResponseResult } from './delivery.ts';
import { originFor } from './edge-config.ts';
import type { EdgeRequest } from './edge-request.ts';
import { Fetch, type FetchResult } from './fetch.ts';
import { forwardFields, isLoop } from './forward-fields.ts';
import { freshen } from './freshen.ts';
import { sendInterim } from './interim.ts';
import { PassList } from './pass-list.ts';
import { type Client, sendOwn } from './respond.ts';
import { planStorage, toStored } from './storage-plan.ts';

/** What a purge names; see `PurgeSelection`. */
interface DoomSelection {
  readonly keys: readonly string[];
  readonly prefixes: readonly string[];
  readonly tags: readonly string[];
}

const nothing: ReadonlySet<string> = new Set();
/** Left behind when a whole response is wanted, whatever the client asked for. */
const conditionals: ReadonlySet<string> = new Set(['if-none-match', 'if-modified-since']);
const conditionalsAndRange: ReadonlySet<string> = new Set([...conditionals, 'range', 'if-range']);

/** Everything between a miss and its answer: coalescing, validation, storing, and what to do when the origin fails. */
export class OriginSide {
  private readonly options: OriginSideOptions;
  /** Fetches that others may join, by {@link fetchKey}. */
  private readonly running = new Map<string, Fetch>();
  /** Every fetch under way: what it brings may be out of date by then. */
  private readonly underWay = new Set<Fetch>();
  private readonly passes = new PassList();
  private readonly delivery: Delivery;

  constructor(options: OriginSideOptions) {
    this.options = options;
    this.delivery = new Delivery(options);
  }

  /** Sends a request to the origin as it is: not a matter of the cache, but for what it invalidates. */
  pass(client: Client, message: IncomingMessage): void {
    const { request } = client;
    if (this.refuseLoop(client)) return;
    const forward: ForwardReason = request.method === 'GET' || request.method === 'HEAD' ? 'bypass' : 'method';
    const fetch = this.makeFetch(request, { message, without: nothing, extra: [], key: undefined });
    fetch.whenInterim((status, fields) => sendInterim(client, status, fields));
    fetch.whenHead((result) => {
      if (result.kind === 'response') this.invalidate(fetch, result);
      this.delivery.deliver(client, result, {
        need: { reason: forward, stored: undefined, message },
        collapsed: false,
      });
    });
    fetch.start();
  }

  /** Gets an answer from the origin, with others who want the same when that may be. */
  fetch(client: Client, need: Need): void {
    const { request } = client;
    if (this.refuseLoop(client)) return;
    const key = this.mayCoalesce(request) ? this.fetchKey(request, need.stored) : undefined;
    const running = key === undefined ? undefined : this.running.get(key);
    if (running?.joinable === true) {
      running.whenInterim((status, fields) => sendInterim(client, status, fields));
      running.whenHead((result) => this.deliverJoined(client, result, { need, leader: running.request }));
      return;
    }
    this.fetchAlone(client, need, key);
  }

  /** Validates a stored response that was served stale (RFC 5861 section 3); one at a time. */
  revalidate(request: EdgeRequest, stored: StoredResponse): void {
    const key = this.fetchKey(request, stored);
    if (this.running.get(key)?.joinable === true) return;
    const plain: EdgeRequest = { ...request, method: 'GET', range: undefined, ifRange: undefined };
    const extra = validators(stored);
    const fetch = this.makeFetch(plain, { message: undefined, without: conditionalsAndRange, extra, key });
    fetch.whenHead((result) => {
      if (result.kind === 'not-modified') this.delivery.freshened(plain, stored, result);
    });
    fetch.start();
  }

  /** Keeps what is under way out of the store, because a purge or an unsafe request came between. */
  doom(selection: DoomSelection, except?: Fetch): void {
    const keys = new Set(selection.keys);
    for (const fetch of this.underWay) {
      const { key } = fetch.request;
      // Nobody knows the tags of a response that is not there yet.
      const hit =
        selection.tags.length > 0 || keys.has(key) || selection.prefixes.some((prefix) => key.startsWith(prefix));
      if (hit && fetch !== except) fetch.doom();
    }
  }

  private fetchAlone(client: Client, need: Need, key: string | undefined): void {
    const { request } = client;
    const { stored } = need;
    const validating = stored !== undefined && request.method === 'GET';
    const fetch = this.makeFetch(request, {
      message: need.message,
      without: this.leftBehind(request, validating),
      extra: validating ? validators(stored) : [],
      key,
    });
    fetch.whenInterim((status, fields) => sendInterim(client, status, fields));
    fetch.whenHead((result) => this.deliverOwn(client, result, need));
    fetch.start();
  }

  /** A fetch that may fill the cache asks for the whole, unconditionally; one that will not passes on what was asked. */
  private leftBehind(request: EdgeRequest, validating: boolean): ReadonlySet<string> {
    if (validating) return conditionalsAndRange;
    const fills = request.method === 'GET' && !this.passes.has(request.key, Date.now());
    return fills ? conditionals : nothing;
  }

  private makeFetch(
    request: EdgeRequest,
    how: {
      readonly message: IncomingMessage | undefined;
      readonly without: ReadonlySet<string>;
      readonly extra: readonly string[];
      readonly key: string | undefined;
    },
  ): Fetch {
    const { store, pools, identity } = this.options;
    const config = this.options.config();
    const { key } = how;
    const fetch: Fetch = new Fetch({
      pools,
      budget: store,
      origin: originFor(config.origins, request.host),
      request,
      fields: forwardFields(request, {
        via: identity.cacheName,
        clientAddress: how.message?.socket.remoteAddress,
        without: how.without,
        extra: how.extra,
      }),
      body: request.hasBody ? (how.message ?? null) : null,
      validating: how.extra.length > 0,
      plan: (head) => planStorage(request, head, config),
      onComplete: (head, plan, body) => {
        const stored = toStored({ ...request, method: 'GET' }, head, plan, body);
        if (stored !== undefined) store.put(stored);
      },
      onOver: () => {
        this.underWay.delete(fetch);
        if (key !== undefined && this.running.get(key) === fetch) this.running.delete(key);
      },
    });
    this.underWay.add(fetch);
    if (key !== undefined) this.running.set(key, fetch);
    return fetch;
  }

  /** The result of a fetch made for this client. */
  private deliverOwn(client: Client, result: FetchResult, need: Need): void {
    const { request } = client;
    const now = Date.now();
    if (result.kind === 'response') {
      if (request.method === 'HEAD') this.applyHead(request, need.stored, result);
      else if (!result.plan.shareable) this.passes.add(request.key, now);
      else this.passes.delete(request.key);
    }
    if (result.kind === 'not-modified' && need.stored !== undefined && !isAbout(result.head.fields, need.stored)) {
      // RFC 9111 section 4.3.4: the 304 is about another response than the one asked about. Ask anew, without it.
      this.options.store.remove(need.stored);
      this.fetchAlone(client, { ...need, stored: undefined }, undefined);
      return;
    }
    this.delivery.deliver(client, result, { need, collapsed: false });
  }

  /** The result of a fetch that this client waited for, made for another. */
  private deliverJoined(
    client: Client,
    result: FetchResult,
    how: { readonly need: Need; readonly leader: EdgeRequest },
  ): void {
    const { need } = how;
    if (mayShare(client.request, result, how)) this.delivery.deliver(client, result, { need, collapsed: true });
    else this.fetchAlone(client, need, undefined);
  }

  /** RFC 9111 section 4.3.5: a response to HEAD updates the stored response to GET, or shows that it is out of date. */
  private applyHead(request: EdgeRequest, stored: StoredResponse | undefined, { head }: ResponseResult): void {
    if (stored === undefined || head.status !== 200 || stored.status !== 200) return;
    const { store } = this.options;
    if (headConfirms(head.fields, stored)) store.put(freshen(stored, request, head, this.options.config()));
    else store.remove(stored);
  }

  private invalidate(fetch: Fetch, result: ResponseResult): void {
    const keys = invalidatedKeys(fetch.request, result.head);
    for (const key of keys) this.options.store.purgeKey(key);
    if (keys.length > 0) this.doom({ keys, prefixes: [], tags: [] }, fetch);
  }

  private mayCoalesce(request: EdgeRequest): boolean {
    return (
      request.method === 'GET' &&
      !request.hasAuthorization &&
      !request.directives.noStore &&
      !this.passes.has(request.key, Date.now())
    );
  }

  /** Requests with equal keys get one answer: same resource, same variant, same range, same stored response behind it. */
  private fetchKey(request: EdgeRequest, stored: StoredResponse | undefined): string {
    const names = this.options.store.varyNames(request.key);
    const variant = names.length === 0 ? '' : variantKey(selectingFields(names, request.fields));
    const range = stored === undefined ? (request.range ?? '') : `validate ${stored.responseTime}`;
    return `${request.key}\n${variant}\n${range}`;
  }

  private refuseLoop(client: Client): boolean {
    if (!isLoop(client.request.fields, this.options.identity.cacheName)) return false;
    const message = 'Loop Detected: the request passed this edge before';
    const outcome = { hit: false, forward: 'bypass', detail: 'loop' } as const;
    sendOwn(client, { status: 508, reason: 'Loop Detected', message, outcome }, this.options.identity);
    return true;
  }
}

/** May a request have the result of a fetch that was made for another? */
function mayShare(
  request: EdgeRequest,
  result: FetchResult,
  how: { readonly need: Need; readonly leader: EdgeRequest },
): boolean {
  if (result.kind === 'failed') return true;
  if (result.kind === 'not-modified') {
    return how.need.stored !== undefined && isAbout(result.head.fields, how.need.stored);
  }
  const names = varyNames(result.head.fields);
  if (!result.plan.shareable || names === '*') return false;
  return (
    names.length === 0 ||
    variantKey(selectingFields(names, request.fields)) === variantKey(selectingFields(names, how.leader.fields))
  );
}
