import type { KV } from '@nats-io/kv';

/** Which gateway sweeps, and until when (Unix ms by its own clock). */
interface Lease {
  readonly holder: string;
  readonly until: number;
}

const key = 'lease.sweep';

const parse = (text: string): Lease | null => {
  try {
    return JSON.parse(text) as Lease;
  } catch {
    return null;
  }
};

/**
 * Takes or keeps the right to sweep, so that one gateway at a time does the work. It saves work only: two sweeps at
 * once would do no harm. False when another gateway has it, or NATS does not answer.
 */
export const holdSweepLease = async (bucket: KV, holder: string, now: number, ms: number): Promise<boolean> => {
  try {
    const entry = await bucket.get(key);
    const lease = entry === null || entry.operation !== 'PUT' ? null : parse(entry.string());
    if (lease !== null && lease.holder !== holder && lease.until > now) return false;
    const next = JSON.stringify({ holder, until: now + ms } satisfies Lease);
    if (entry === null) await bucket.create(key, next);
    else await bucket.update(key, next, entry.revision);
    return true;
  } catch {
    return false;
  }
};
