import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import type { KubeClient } from './client.ts';
import { type Clock, systemClock } from './clock.ts';
import { type Series, SeriesBook, seriesKey } from './event-series.ts';
import type { EventNote, EventRecorder } from './events.ts';
import { isKubeError } from './kube-error.ts';
import { microTime } from './lease.ts';
import type { RuntimeMetrics } from './metrics.ts';
import type { KubeObject } from './object.ts';
import { resource } from './resource.ts';
import { TokenBucket } from './token-bucket.ts';

interface KubeEvent extends KubeObject {
  readonly eventTime: string;
  readonly type: string;
  readonly reason: string;
  readonly note: string;
  readonly action: string;
  readonly reportingController: string;
  readonly reportingInstance: string;
  readonly regarding: object;
  readonly related?: object;
}

const events = resource<KubeEvent>('events.k8s.io/v1', 'Event', 'events');

export interface EventRecorderOptions {
  readonly client: KubeClient;
  readonly log: Logger;
  readonly metrics: RuntimeMetrics;
  /** e.g. quartet.dev/operator */
  readonly controller: string;
  readonly instance: string;
  readonly clock?: Clock;
}

/** Events waiting to be written; the oldest are dropped. */
const QUEUE_LIMIT = 1_000;
/** Per object: a burst, then one each five minutes, as client-go has it. */
const PER_OBJECT = { perSecond: 1 / 300, burst: 25 };
const BUCKET_LIMIT = 4_096;
const NOTE_LIMIT = 1_024;
const DEADLINE_MS = 5_000;
/** A running series is written at the 2nd, 4th, 8th ... occurrence: the count stays true to a factor of two. */
const isWorthWriting = (count: number): boolean => (count & (count - 1)) === 0;

/** Writes Events one after another, in the background. */
export class QueuedEventRecorder implements EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #clock: Clock;
  readonly #book = new SeriesBook();
  readonly #buckets = new Map<string, TokenBucket>();
  readonly #queue: (() => Promise<void>)[] = [];
  #writing: Promise<void> | undefined;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  record(regarding: KubeObject, event: EventNote): void {
    const key = seriesKey(regarding, event);
    const series = this.#book.count(key, this.#clock.wall());
    if (series !== undefined) {
      if (series.queued || !isWorthWriting(series.count)) return;
      series.queued = true;
      this.#enqueue(() => this.#writeCount(key, series));
      return;
    }
    if (!this.#bucketOf(regarding).tryTake()) {
      this.#options.metrics.eventsDropped.inc({ reason: 'rate' });
      return;
    }
    const written = this.#build(regarding, event);
    const { name, namespace = '' } = written.metadata;
    this.#book.start(key, { name, namespace, count: 1, lastAt: this.#clock.wall(), queued: false });
    this.#enqueue(async () => void (await this.#options.client.create(events, written, { deadlineMs: DEADLINE_MS })));
  }

  /** Resolves when all that was recorded is written or dropped. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  #enqueue(write: () => Promise<void>): void {
    this.#queue.push(write);
    if (this.#queue.length > QUEUE_LIMIT) {
      this.#queue.shift();
      this.#options.metrics.eventsDropped.inc({ reason: 'queue' });
    }
    this.#writing ??= this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    for (let write = this.#queue.shift(); write !== undefined; write = this.#queue.shift()) {
      try {
        await write();
      } catch (error) {
        // An Event is a courtesy: it is not worth a retry while the server is in trouble.
        this.#options.metrics.eventsDropped.inc({ reason: isKubeError(error) ? error.code : 'error' });
        this.#options.log.debug({ err: error }, 'an Event was not written');
      }
    }
    this.#writing = undefined;
  }

  async #writeCount(key: string, series: Series): Promise<void> {
    series.queued = false;
    const patch = { series: { count: series.count, lastObservedTime: microTime(series.lastAt) } };
    try {
      await this.#options.client.merge(events, series, patch, { deadlineMs: DEADLINE_MS });
    } catch (error) {
      if (isKubeError(error, 'not-found')) this.#book.end(key);
      throw error;
    }
  }

  #bucketOf(regarding: KubeObject): TokenBucket {
    const id = regarding.metadata.uid ?? regarding.metadata.name;
    const bucket = this.#buckets.get(id) ?? new TokenBucket(PER_OBJECT, this.#clock);
    this.#buckets.delete(id);
    this.#buckets.set(id, bucket);
    if (this.#buckets.size > BUCKET_LIMIT) {
      const oldest = this.#buckets.keys().next().value;
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    return bucket;
  }

  #build(regarding: KubeObject, event: EventNote): KubeEvent {
    const { controller, instance } = this.#options;
    // The Event of a cluster-scoped object lives in the default namespace.
    const namespace = regarding.metadata.namespace ?? 'default';
    const name = `${regarding.metadata.name.slice(0, 230)}.${randomBytes(8).toString('hex')}`;
    return {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name, namespace },
      eventTime: microTime(this.#clock.wall()),
      type: event.type,
      reason: event.reason.slice(0, 128),
      action: (event.action ?? event.reason).slice(0, 128),
      note: cut(event.note, NOTE_LIMIT),
      reportingController: controller,
      reportingInstance: instance.slice(0, 128),
      regarding: referenceTo(regarding),
      ...(event.related !== undefined && { related: referenceTo(event.related) }),
    };
  }
}

function referenceTo({ apiVersion, kind, metadata }: KubeObject): object {
  const { name, namespace, uid, resourceVersion } = metadata;
  return { apiVersion, kind, name, namespace, uid, resourceVersion };
}

/** At most `bytes` of UTF-8. */
function cut(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  const whole = Buffer.from(text)
    .subarray(0, bytes - 3)
    .toString('utf8');
  return `${whole.replace(/\uFFFD+$/, '')}…`;
}
