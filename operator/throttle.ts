import type { Controller } from './runtime/controller.ts';
import type { ObjectKey } from './runtime/object.ts';

/** Wakes a key at most once in each interval, and once more at the end of it when there was more. */
export class ThrottledWake {
  readonly #controller: Controller;
  readonly #intervalMs: number;
  readonly #now: () => number;
  readonly #nextAt = new Map<ObjectKey, number>();

  constructor(controller: Controller, intervalMs: number, now: () => number = () => performance.now()) {
    this.#controller = controller;
    this.#intervalMs = intervalMs;
    this.#now = now;
  }

  wake(key: ObjectKey): void {
    const now = this.#now();
    const nextAt = this.#nextAt.get(key) ?? 0;
    // a wake is scheduled already
    if (nextAt > now + this.#intervalMs) return;
    const at = Math.max(now, nextAt);
    this.#nextAt.set(key, at + this.#intervalMs + 1);
    this.#controller.wake(key, { afterMs: at - now, priority: -10 });
    if (this.#nextAt.size > 100_000) this.#nextAt.clear();
  }
}
