/** How long a key is taken to be uncacheable after a response that was (ms). */
const passMs = 60_000;
const maxKeys = 8192;

/**
 * Keys whose last response could not be shared. Requests for them do not wait for each other, because waiting would
 * only put them in a row. Bounded: the oldest is forgotten first.
 */
export class PassList {
  private readonly until = new Map<string, number>();

  add(key: string, now: number): void {
    this.until.delete(key);
    if (this.until.size >= maxKeys) {
      const oldest = this.until.keys().next();
      if (oldest.done !== true) this.until.delete(oldest.value);
    }
    this.until.set(key, now + passMs);
  }

  has(key: string, now: number): boolean {
    if (this.until.size === 0) return false;
    const until = this.until.get(key);
    if (until === undefined) return false;
    if (until > now) return true;
    this.until.delete(key);
    return false;
  }

  delete(key: string): void {
    this.until.delete(key);
  }
}
