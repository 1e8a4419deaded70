import type { EventNote } from './events.ts';
import type { KubeObject } from './object.ts';

/** An occurrence that is one more of those before it is counted, not written again, for this long. */
export const SERIES_MS = 6 * 60_000;

/** What makes two occurrences the same. */
export function seriesKey(regarding: KubeObject, event: EventNote): string {
  const { uid, namespace, name } = regarding.metadata;
  return JSON.stringify([uid ?? [namespace, name], event.type, event.reason, event.action, event.note]);
}

/** A series as it is remembered. */
export interface Series {
  /** Name and namespace of the Event written. */
  readonly name: string;
  readonly namespace: string;
  /** Occurrences, the first included. */
  count: number;
  /** ms since the epoch. */
  lastAt: number;
  /** A write of the count is waiting; it takes the count as it is then. */
  queued: boolean;
}

/** Remembers recent series, a bounded number of them. */
export class SeriesBook {
  readonly #limit: number;
  /** Least recently used first. */
  readonly #series = new Map<string, Series>();

  constructor(limit: number = 4_096) {
    this.#limit = limit;
  }

  /** Counts an occurrence: the series it belongs to, or undefined when it starts one. */
  count(key: string, now: number): Series | undefined {
    const series = this.#series.get(key);
    if (series === undefined) return undefined;
    this.#series.delete(key);
    if (now - series.lastAt > SERIES_MS) return undefined;
    series.count += 1;
    series.lastAt = now;
    this.#series.set(key, series);
    return series;
  }

  start(key: string, series: Series): void {
    this.#series.set(key, series);
    if (this.#series.size <= this.#limit) return;
    for (const oldest of this.#series.keys()) {
      this.#series.delete(oldest);
      return;
    }
  }

  /** Forgets a series: its Event is gone from the server. */
  end(key: string): void {
    this.#series.delete(key);
  }
}
