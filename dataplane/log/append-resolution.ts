import { jittered, type Clock } from './clock.ts';
import { peekId, type EncodedEntry } from './entry.ts';
import type { AppendOutcome, StoredEntry } from './replicated-log.ts';

/** What one attempt to store an entry told us. */
export type Attempt =
  | { readonly result: 'stored'; readonly seq: number }
  /** The log's last sequence is not the expected one; `last` may count entries that are not readable yet; -1 = not told. */
  | { readonly result: 'wrong-last'; readonly last: number }
  /** Refused for good: space or size. */
  | { readonly result: 'full'; readonly message: string }
  /** Nobody took the request (no leader, no connection): it was not processed. */
  | { readonly result: 'not-taken'; readonly message: string }
  /** No answer: it may be stored, or may be stored later. */
  | { readonly result: 'silent'; readonly message: string };

/** The two requests that an append consists of. */
export interface AppendTransport {
  /** One attempt, within `timeoutMs`. Never rejects. */
  attempt(expected: number, entry: EncodedEntry, timeoutMs: number): Promise<Attempt>;
  /** Reads from the leader, within `timeoutMs`; rejects when it cannot. */
  get(seq: number, timeoutMs: number): Promise<StoredEntry | null>;
}

const attemptMs = 2_000;
const firstPauseMs = 25;
const longestPauseMs = 200;

/**
 * Appends by compare-and-set and does not take a timeout or a mismatch for an outcome: it reads what is at the place
 * and compares. As long as the place is free it sends the same entry again.
 */
export async function appendResolved(
  transport: AppendTransport,
  clock: Clock,
  expected: number,
  { entry, timeoutMs }: { entry: EncodedEntry; timeoutMs: number },
): Promise<AppendOutcome> {
  const deadline = clock.now() + timeoutMs;
  let doubtful = false;
  let pause = firstPauseMs;
  let message = 'no time for an attempt';
  for (let left = timeoutMs; left > 0; left = deadline - clock.now()) {
    const attempt = await transport.attempt(expected, entry, Math.min(left, attemptMs));
    if (attempt.result === 'stored') return stored(attempt.seq, expected);
    if (attempt.result === 'silent') doubtful = true;
    message = 'message' in attempt ? attempt.message : attempt.result;
    const outcome = await settle(transport, attempt, { expected, entry, doubtful });
    if (outcome !== null) return outcome;
    await clock.sleep(Math.min(jittered(clock, pause), Math.max(0, deadline - clock.now())));
    pause = Math.min(pause * 2, longestPauseMs);
  }
  return { outcome: 'unresolved', message };
}

const stored = (seq: number, expected: number): AppendOutcome =>
  seq === expected + 1
    ? { outcome: 'appended', seq }
    : { outcome: 'unresolved', message: `stored at ${seq}, expected ${expected + 1}` };

interface Doubt {
  readonly expected: number;
  readonly entry: EncodedEntry;
  /** An earlier attempt had no answer, so the entry may still arrive. */
  readonly doubtful: boolean;
}

/** What can be said after an attempt that did not store; null = try again. */
async function settle(transport: AppendTransport, attempt: Attempt, doubt: Doubt): Promise<AppendOutcome | null> {
  if (attempt.result === 'not-taken' && !doubt.doubtful) return null;
  let found: StoredEntry | null;
  try {
    found = await transport.get(doubt.expected + 1, attemptMs);
  } catch {
    return null;
  }
  return found === null ? withoutEntry(attempt, doubt) : withEntry(found, doubt);
}

const withEntry = (found: StoredEntry, doubt: Doubt): AppendOutcome =>
  peekId(found.bytes) === doubt.entry.id ? { outcome: 'appended', seq: found.seq } : { outcome: 'conflict', found };

function withoutEntry(attempt: Attempt, doubt: Doubt): AppendOutcome | null {
  if (attempt.result === 'wrong-last' && attempt.last >= 0 && attempt.last < doubt.expected) {
    return { outcome: 'behind' };
  }
  if (attempt.result === 'full' && !doubt.doubtful) return { outcome: 'full', message: attempt.message };
  return null;
}
