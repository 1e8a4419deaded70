import type { IncomingMessage } from 'node:http';
import type { ResponseStore } from '../cache/response-store.ts';
import type { CacheOutcome, ForwardReason } from '../policy/cache-status.ts';
import { firstLine } from '../policy/fields.ts';
import { isNotModified } from '../policy/preconditions.ts';
import { isErrorStatus, mayServeOnError, type OriginFailure, timeToLive } from '../policy/reuse.ts';
import type { StoredResponse } from '../policy/stored-response.ts';
import type { EdgeConfig } from './edge-config.ts';
import { type EdgeError, statusOf } from './edge-error.ts';
import type { EdgeRequest } from './edge-request.ts';
import type { FetchResult } from './fetch.ts';
import { freshen } from './freshen.ts';
import type { LoadMeter } from './load-meter.ts';
import type { OriginPools } from './origin-exchange.ts';
import {
  type Client,
  type Identity,
  provenance,
  representationOf,
  sendNotModified,
  sendOwn,
  sendStored,
  startFromOrigin,
} from './respond.ts';

export interface OriginSideOptions {
  readonly store: ResponseStore;
  readonly pools: OriginPools;
  readonly identity: Identity;
  readonly meter: LoadMeter;
  config(): EdgeConfig;
}

/** Why a client's request goes to the origin, and what is stored for it. */
export interface Need {
  readonly reason: ForwardReason;
  readonly stored: StoredResponse | undefined;
  readonly message: IncomingMessage;
}

export type ResponseResult = Extract<FetchResult, { kind: 'response' }>;

/** The last step of a miss: from what the origin said, or failed to say, to the client's answer. */
export class Delivery {
  private readonly options: OriginSideOptions;

  constructor(options: OriginSideOptions) {
    this.options = options;
  }

  /** Turns what came of a fetch into an answer. */
  deliver(client: Client, result: FetchResult, how: { readonly need: Need; readonly collapsed: boolean }): void {
    const { need, collapsed } = how;
    if (result.kind === 'failed') {
      this.deliverFailure(client, result.error, need);
      return;
    }
    const outcome: CacheOutcome = {
      hit: false,
      forward: need.reason,
      forwardStatus: result.head.status,
      collapsed,
    };
    if (result.kind === 'not-modified') {
      const fresh = need.stored === undefined ? undefined : this.freshened(client.request, need.stored, result);
      if (fresh !== undefined) this.sendStored(client, fresh, outcome, false);
      return;
    }
    if (isErrorStatus(result.head.status) && this.standIn(client, need, 'error-status')) return;
    this.deliverResponse(client, result, { ...outcome, stored: result.plan.storability.store });
  }

  private deliverResponse(client: Client, result: ResponseResult, outcome: CacheOutcome): void {
    const { identity, meter } = this.options;
    const { head, transfer } = result;
    const collapsed = !outcome.hit && outcome.collapsed === true;
    meter.count(Date.now(), collapsed, Number(firstLine(head.fields, 'content-length') ?? 0) || 0);
    if (this.answersNotModified(client.request, result)) {
      sendNotModified(client, head.fields, provenance(identity, outcome, client.startedAt));
    } else if (startFromOrigin(client, head, outcome, identity)) {
      transfer.attach(client.response);
    }
  }

  /** The condition was left behind to fill the cache: judged here instead (RFC 9111 section 4.3.2). */
  private answersNotModified(request: EdgeRequest, result: ResponseResult): boolean {
    return (
      request.method === 'GET' && result.head.status === 200 && isNotModified(request, representationOf(result.head))
    );
  }

  private deliverFailure(client: Client, error: EdgeError, need: Need): void {
    if (this.standIn(client, need, 'unreachable')) return;
    this.options.meter.count(Date.now(), false, 0);
    const status = statusOf(error.code);
    const reasons = { 502: 'Bad Gateway', 503: 'Service Unavailable', 504: 'Gateway Timeout' } as const;
    sendOwn(
      client,
      {
        status,
        reason: reasons[status],
        message: `${reasons[status]}: ${error.message}`,
        outcome: { hit: false, forward: need.reason, detail: error.code },
        ...(status === 503 ? { fields: ['Retry-After', '1'] } : {}),
      },
      this.options.identity,
    );
  }

  /** Serves the stored response instead of the origin's failure, when that is allowed. */
  private standIn(client: Client, need: Need, failure: OriginFailure): boolean {
    const { stored } = need;
    const clock = { now: Date.now(), graceSeconds: this.options.config().errorGraceSeconds };
    if (stored === undefined || !mayServeOnError(stored, client.request.directives, failure, clock)) return false;
    const outcome: CacheOutcome = { hit: true, ttlSeconds: timeToLive(stored, clock.now), detail: `stale-${failure}` };
    this.sendStored(client, stored, outcome, true);
    return true;
  }

  private sendStored(client: Client, stored: StoredResponse, outcome: CacheOutcome, hit: boolean): void {
    const now = Date.now();
    this.options.meter.count(now, hit, stored.body.byteLength);
    sendStored(client, stored, outcome, this.options.identity, now);
  }

  /** Stores the response that a 304 brought up to date; the first of several waiting clients does it. */
  freshened(
    request: EdgeRequest,
    stored: StoredResponse,
    result: Extract<FetchResult, { kind: 'not-modified' }>,
  ): StoredResponse {
    if (result.fresh !== undefined) return result.fresh;
    const fresh = freshen(stored, request, result.head, this.options.config());
    result.fresh = fresh;
    const { noStore, isPrivate } = fresh.directives;
    // The 304 may say that the response is to be shared no longer (RFC 9111 section 3.2, then section 3).
    if (noStore || isPrivate) this.options.store.remove(stored);
    else if (result.keep) this.options.store.put(fresh);
    return fresh;
  }
}
