import { type Clock, systemClock } from './clock.ts';

/** Spends tokens that come back at a steady rate; who asks first is served first. */
export class TokenBucket {
  readonly #perMs: number;
  readonly #burst: number;
  readonly #clock: Clock;
  #level: number;
  #at: number;

  constructor(rate: { readonly perSecond: number; readonly burst: number }, clock: Clock = systemClock) {
    this.#perMs = rate.perSecond / 1000;
    this.#burst = rate.burst;
    this.#clock = clock;
    this.#level = rate.burst;
    this.#at = clock.now();
  }

  /** Takes a token now if there is one. */
  tryTake(): boolean {
    this.#refill();
    if (this.#level < 1) return false;
    this.#level -= 1;
    return true;
  }

  /** Reserves the next token: the ms to wait until it is there. The token is spent even if the caller gives up. */
  reserve(): number {
    this.#refill();
    this.#level -= 1;
    return this.#level >= 0 ? 0 : -this.#level / this.#perMs;
  }

  /** Gives back a token that was reserved and not used. */
  giveBack(): void {
    this.#level = Math.min(this.#burst, this.#level + 1);
  }

  #refill(): void {
    const now = this.#clock.now();
    this.#level = Math.min(this.#burst, this.#level + (now - this.#at) * this.#perMs);
    this.#at = now;
  }
}
