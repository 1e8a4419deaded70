import type { Readable } from 'node:stream';
import type { RawFields } from '../policy/fields.ts';
import { endToEndFields } from '../policy/hop-by-hop.ts';
import { EdgeError } from './edge-error.ts';
import type { StoredResponse } from '../policy/stored-response.ts';
import type { EdgeRequest } from './edge-request.ts';
import type { Exchange, ExchangeListener, OriginPools } from './origin-exchange.ts';
import type { OriginHead, StoragePlan } from './storage-plan.ts';
import { type Budget, Transfer } from './transfer.ts';

export type FetchResult =
  | { readonly kind: 'response'; readonly head: OriginHead; readonly plan: StoragePlan; readonly transfer: Transfer }
  /** 304 to the validators that this fetch added. */
  | {
      readonly kind: 'not-modified';
      readonly head: OriginHead;
      /** The stored response brought up to date, made by the first who needs it. */
      fresh: StoredResponse | undefined;
      /** False when it must not go back into the store. */
      readonly keep: boolean;
    }
  | { readonly kind: 'failed'; readonly error: EdgeError };

export interface FetchOptions {
  readonly pools: OriginPools;
  readonly budget: Budget;
  /** Undefined when no origin answers for the host: the fetch fails. */
  readonly origin: string | undefined;
  /** The client's request: its fields select the variant. */
  readonly request: EdgeRequest;
  readonly fields: RawFields;
  readonly body: Readable | null;
  /** True when `fields` hold validators of a stored response. */
  readonly validating: boolean;
  plan(head: OriginHead): StoragePlan;
  /** The whole body arrived and was kept. Not called once the fetch is doomed. */
  onComplete(head: OriginHead, plan: StoragePlan, body: Buffer): void;
  onOver(): void;
}

/**
 * One request to the origin and what comes of it, for one client, for many that wait, or for none (revalidation in the
 * background). Listeners are called in the same turn as the head arrives, so that no byte of the body is missed.
 */
export class Fetch implements ExchangeListener {
  private readonly options: FetchOptions;
  private readonly requestTime = Date.now();
  private waiting: ((result: FetchResult) => void)[] = [];
  private interims: ((status: number, fields: RawFields) => void)[] = [];
  private result: FetchResult | undefined;
  private exchange: Exchange | undefined;
  private doomed = false;
  private over = false;

  constructor(options: FetchOptions) {
    this.options = options;
  }

  start(): this {
    const { origin, request, fields, body, pools } = this.options;
    const { method, target } = request;
    if (origin === undefined) {
      queueMicrotask(() => this.onError(new EdgeError('no-origin', 'no origin is configured for this host')));
      return this;
    }
    this.exchange = pools.send({ origin, method, target, fields, body }, this);
    return this;
  }

  /** The request that it was made for. */
  get request(): EdgeRequest {
    return this.options.request;
  }

  /** Calls back with the result: at once when there is one. */
  whenHead(listener: (result: FetchResult) => void): void {
    if (this.result !== undefined) listener(this.result);
    else this.waiting.push(listener);
  }

  whenInterim(listener: (status: number, fields: RawFields) => void): void {
    this.interims.push(listener);
  }

  /** What arrives is out of date already (a purge, an unsafe request): it goes to those who wait and nowhere else. */
  doom(): void {
    this.doomed = true;
    if (this.result?.kind === 'response') this.result.transfer.stopKeeping();
  }

  /** True while a request that comes now may share the result. */
  get joinable(): boolean {
    if (this.doomed || this.over) return false;
    return this.result === undefined || (this.result.kind === 'response' && this.result.transfer.complete);
  }

  onInterim(status: number, fields: RawFields): void {
    for (const listener of this.interims) listener(status, fields);
  }

  onHead(status: number, reason: string, fields: RawFields): void {
    const head: OriginHead = {
      status,
      reason,
      fields: endToEndFields(fields),
      requestTime: this.requestTime,
      responseTime: Date.now(),
    };
    if (status === 304 && this.options.validating) {
      this.settle({ kind: 'not-modified', head, fresh: undefined, keep: !this.doomed });
      return;
    }
    const plan = this.options.plan(head);
    const transfer = new Transfer(this.options.budget, this.doomed ? 0 : plan.limitBytes);
    const exchange = this.exchange;
    transfer.connect({
      pause: () => exchange?.pause(),
      resume: () => exchange?.resume(),
      abandon: () => exchange?.abort(),
    });
    this.settle({ kind: 'response', head, plan, transfer });
    transfer.begin();
  }

  onData(chunk: Buffer): void {
    if (this.result?.kind === 'response') this.result.transfer.append(chunk);
  }

  onEnd(): void {
    this.finish();
    if (this.result?.kind !== 'response') return;
    const { head, plan, transfer } = this.result;
    const body = transfer.end();
    if (body !== undefined && !this.doomed) this.options.onComplete(head, plan, body);
  }

  onError(error: EdgeError): void {
    this.finish();
    if (this.result === undefined) this.settle({ kind: 'failed', error });
    else if (this.result.kind === 'response') this.result.transfer.fail();
  }

  private settle(result: FetchResult): void {
    this.result = result;
    const waiting = this.waiting;
    this.waiting = [];
    this.interims = [];
    for (const listener of waiting) listener(result);
  }

  private finish(): void {
    if (this.over) return;
    this.over = true;
    this.options.onOver();
  }
}
