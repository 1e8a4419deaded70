import { backOffMs, type BackOff } from './back-off.ts';
import { type Clock, systemClock } from './clock.ts';
import { Heap } from './heap.ts';
import type { RuntimeMetrics } from './metrics.ts';

/** How a key is added. */
export interface AddOptions {
  /** Higher goes first; equal ones in the order in which they became ready. Default 0. */
  readonly priority?: number;
  /** Not before this time has passed, ms. */
  readonly afterMs?: number;
  /** Delay by the key's own back-off, which grows with each such add until `forget`. */
  readonly backOff?: boolean;
}

/** A key handed out. Give it back with `done`. */
export interface Work {
  readonly key: string;
  readonly priority: number;
}

export interface WorkQueueOptions {
  readonly name: string;
  readonly metrics: RuntimeMetrics;
  readonly clock?: Clock;
  readonly backOff?: BackOff;
  /** In [0, 1); for tests. */
  readonly random?: () => number;
}

interface Item {
  readonly key: string;
  priority: number;
  /** Monotonic ms from which it may be handed out. */
  readyAt: number;
  /** Order among ready items of equal priority. */
  order: number;
  /** Counts changes: an older entry of this item in a heap is void. */
  version: number;
  /** delayed: its time has not come; ready: may be handed out; held: is being worked on right now. */
  place: 'delayed' | 'ready' | 'held';
}

/** A heap entry never changes: when its item does, another is pushed and this one is void. */
interface Entry extends Readonly<Pick<Item, 'priority' | 'readyAt' | 'order' | 'version'>> {
  readonly item: Item;
}

const BACK_OFF: BackOff = { minMs: 200, maxMs: 60_000 };

/**
 * Keys waiting to be worked on, with the semantics of controller-runtime's priority queue:
 * - a key waits at most once: adding it again keeps the higher priority and the earlier time
 * - a key being worked on is not handed out again until `done`; added meanwhile, it waits for that
 * - ready keys go by priority, then first come, first served
 * - each key has its own back-off
 */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #metrics: RuntimeMetrics;
  readonly #labels: { readonly name: string };
  readonly #backOff: BackOff;
  readonly #random: () => number;
  readonly #waiting = new Map<string, Item>();
  /** Key -> when work on it began. */
  readonly #working = new Map<string, number>();
  readonly #failures = new Map<string, number>();
  readonly #takers: ((work: Work | undefined) => void)[] = [];
  readonly #delayed = new Heap<Entry>((a, b) => a.readyAt < b.readyAt);
  readonly #ready = new Heap<Entry>(goesBefore);
  #readyCount = 0;
  #order = 0;
  #closed = false;
  #cancelWake: () => void = () => undefined;
  #wakeAt = Infinity;

  constructor(options: WorkQueueOptions) {
    this.#clock = options.clock ?? systemClock;
    this.#metrics = options.metrics;
    this.#labels = { name: options.name };
    this.#backOff = options.backOff ?? BACK_OFF;
    this.#random = options.random ?? Math.random;
  }

  /** Adds a key. */
  add(key: string, options: AddOptions = {}): void {
    if (this.#closed) return;
    const delayMs = options.backOff ? this.#nextBackOff(key) : (options.afterMs ?? 0);
    this.#metrics.adds.inc(this.#labels);
    const readyAt = this.#clock.now() + Math.max(0, delayMs);
    const priority = options.priority ?? 0;
    let item = this.#waiting.get(key);
    if (item === undefined) {
      item = { key, priority, readyAt, order: 0, version: 0, place: 'delayed' };
      this.#waiting.set(key, item);
    } else {
      if (priority <= item.priority && readyAt >= item.readyAt) return;
      item.priority = Math.max(item.priority, priority);
      item.readyAt = Math.min(item.readyAt, readyAt);
    }
    this.#place(item);
    this.#serve();
  }

  /** The next key; undefined once the queue is closed. One taker gets one key. */
  take(): Promise<Work | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#takers.push(resolve);
      this.#serve();
    });
  }

  /** Ends the work on a key. If it was added meanwhile, it is now ready. */
  done(key: string): void {
    const startedAt = this.#working.get(key);
    if (startedAt === undefined) return;
    this.#working.delete(key);
    this.#metrics.workSeconds.observe(this.#labels, (this.#clock.now() - startedAt) / 1000);
    const item = this.#waiting.get(key);
    if (item?.place === 'held') this.#place(item);
    this.#serve();
  }

  /** Resets the back-off of a key: its work succeeded. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** Failures in a row of a key. */
  failures(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** Keys ready and waiting (not delayed, not being worked on). */
  get ready(): number {
    return this.#readyCount;
  }

  /** Keys waiting for their time. */
  get delayed(): number {
    return this.#waiting.size - this.#readyCount;
  }

  /** Keys being worked on. */
  get working(): number {
    return this.#working.size;
  }

  /** True when no key is ready or being worked on. */
  get idle(): boolean {
    return this.#working.size === 0 && this.#readyCount === 0;
  }

  /** Takers get undefined; keys that wait are dropped. */
  close(): void {
    this.#closed = true;
    this.#cancelWake();
    this.#waiting.clear();
    this.#delayed.clear();
    this.#ready.clear();
    this.#readyCount = 0;
    for (const taker of this.#takers.splice(0)) taker(undefined);
  }

  /** Brings the gauges up to date; called when metrics are read. */
  observe(): void {
    const now = this.#clock.now();
    const ages = [...this.#working.values()].map((startedAt) => (now - startedAt) / 1000);
    this.#metrics.depth.set(this.#labels, this.ready);
    this.#metrics.longestRunning.set(this.#labels, Math.max(0, ...ages));
    this.#metrics.unfinished.set(
      this.#labels,
      ages.reduce((sum, age) => sum + age, 0),
    );
  }

  #nextBackOff(key: string): number {
    const failures = this.failures(key) + 1;
    this.#failures.set(key, failures);
    this.#metrics.retries.inc(this.#labels);
    return backOffMs(this.#backOff, failures, this.#random());
  }

  /** Puts an item where it belongs now: among the delayed, the ready, or aside while its key is being worked on. */
  #place(item: Item): void {
    if (item.place === 'ready') this.#readyCount -= 1;
    item.version += 1;
    if (item.readyAt > this.#clock.now()) {
      item.place = 'delayed';
      this.#delayed.push(entryOf(item));
    } else if (this.#working.has(item.key)) item.place = 'held';
    else {
      if (item.place !== 'ready') item.order = this.#order++;
      item.place = 'ready';
      this.#readyCount += 1;
      this.#ready.push(entryOf(item));
    }
  }

  /** Hands ready keys to takers, then sets the timer for the next delayed one. */
  #serve(): void {
    const now = this.#clock.now();
    for (let next = top(this.#delayed); next !== undefined && next.readyAt <= now; next = top(this.#delayed)) {
      this.#delayed.pop();
      this.#place(next);
    }
    while (this.#takers.length > 0) {
      const item = top(this.#ready);
      if (item === undefined) break;
      this.#ready.pop();
      this.#handOut(item, now);
    }
    this.#scheduleWake(now);
  }

  #handOut(item: Item, now: number): void {
    this.#readyCount -= 1;
    this.#waiting.delete(item.key);
    this.#working.set(item.key, now);
    this.#metrics.queueSeconds.observe(this.#labels, Math.max(0, now - item.readyAt) / 1000);
    this.#takers.shift()?.({ key: item.key, priority: item.priority });
  }

  #scheduleWake(now: number): void {
    const at = top(this.#delayed)?.readyAt ?? Infinity;
    if (at === this.#wakeAt) return;
    this.#cancelWake();
    this.#cancelWake = () => undefined;
    this.#wakeAt = at;
    if (at === Infinity) return;
    // A timer holds at most 2^31 ms, and may fire early: then #serve sets the next.
    this.#cancelWake = this.#clock.timer(Math.min(Math.ceil(at - now), 2 ** 31 - 1), () => {
      this.#wakeAt = Infinity;
      this.#serve();
    });
  }
}

function entryOf(item: Item): Entry {
  const { priority, readyAt, order, version } = item;
  return { item, priority, readyAt, order, version };
}

function goesBefore(a: Entry, b: Entry): boolean {
  return a.priority === b.priority ? a.order < b.order : a.priority > b.priority;
}

/** The valid item at the top of a heap; void entries above it are taken away. */
function top(heap: Heap<Entry>): Item | undefined {
  for (let entry = heap.peek(); entry !== undefined; entry = heap.peek()) {
    if (entry.version === entry.item.version) return entry.item;
    heap.pop();
  }
  return undefined;
}
