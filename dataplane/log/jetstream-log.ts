import { headers, type Msg, type NatsConnection } from '@nats-io/nats-core';
import { ask } from '../fabric/ask.ts';
import { appendResolved, type AppendTransport, type Attempt } from './append-resolution.ts';
import { systemClock, type Clock } from './clock.ts';
import { directGet } from './direct-get.ts';
import type { EncodedEntry } from './entry.ts';
import { JetStreamTail } from './jetstream-tail.ts';
import { LogError } from './log-error.ts';
import type { AppendOutcome, LogExtent, ReadLimit, ReplicatedLog, StoredEntry, TailOptions } from './replicated-log.ts';

export interface JetStreamLogOptions {
  readonly nats: NatsConnection;
  readonly stream: string;
  /** The subject that the stream takes in. */
  readonly subject: string;
  /** Where it republishes what it stored. */
  readonly liveSubject: string;
  readonly clock?: Clock;
}

/** The part of JetStream's answers that is looked at. */
interface ApiAnswer {
  readonly error?: { readonly code: number; readonly err_code?: number; readonly description?: string };
  readonly seq?: number;
  readonly created?: string;
  readonly state?: { readonly first_seq: number; readonly last_seq: number; readonly bytes: number };
  readonly message?: { readonly seq: number; readonly data?: string };
}

/** Error codes of JetStream that mean something to an append. */
const apiError = { streamNotFound: 10059, noMessageFound: 10037 } as const;
/** The last sequence is another one; the second code does not say which. */
const wrongLastSequence: readonly (number | undefined)[] = [10071, 10164];
/** Insufficient resources, storage exceeded, message too large, store failed. */
const noSpace: readonly (number | undefined)[] = [10023, 10047, 10054, 10077];

const requestMs = 2_000;
const readMs = 5_000;

/** A log on one JetStream stream, as `contract/streams.ts` configures it. */
export class JetStreamLog implements ReplicatedLog, AppendTransport {
  readonly #options: JetStreamLogOptions;
  readonly #clock: Clock;

  constructor(options: JetStreamLogOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  append(expected: number, entry: EncodedEntry, timeoutMs: number): Promise<AppendOutcome> {
    return appendResolved(this, this.#clock, expected, { entry, timeoutMs });
  }

  async attempt(expected: number, entry: EncodedEntry, timeoutMs: number): Promise<Attempt> {
    const expectation = headers();
    expectation.set('Nats-Expected-Last-Sequence', String(expected));
    const options = { timeoutMs: Math.max(1, timeoutMs), headers: expectation };
    const reply = await ask(this.#options.nats, this.#options.subject, entry.bytes, options);
    // No responders: the request reached no leader.
    if (reply.kind === 'nobody') return { result: 'not-taken', message: 'no server took the entry' };
    return reply.kind === 'silent' ? { result: 'silent', message: reply.why } : attemptOf(parse(reply.message));
  }

  async get(seq: number, timeoutMs = requestMs): Promise<StoredEntry | null> {
    const answer = await this.#ask(`STREAM.MSG.GET.${this.#options.stream}`, { seq }, timeoutMs);
    if (answer.error?.err_code === apiError.noMessageFound) return null;
    if (answer.message === undefined) throw new LogError('unavailable', 'an answer without a message');
    return { seq: answer.message.seq, bytes: Buffer.from(answer.message.data ?? '', 'base64') };
  }

  async extent(): Promise<LogExtent> {
    const answer = await this.#ask(`STREAM.INFO.${this.#options.stream}`, {}, requestMs);
    const { created, state } = answer;
    if (created === undefined || state === undefined) throw new LogError('unavailable', 'an answer without a state');
    const first = state.first_seq === 0 ? 1 : state.first_seq;
    return { created, first: Math.min(first, state.last_seq + 1), last: state.last_seq, bytes: state.bytes };
  }

  async read(from: number, limit: ReadLimit): Promise<readonly StoredEntry[]> {
    const { nats, stream } = this.#options;
    const found = await directGet(nats, { stream, from, ...limit, timeoutMs: readMs });
    const first = found[0];
    if (first !== undefined && first.seq !== from) throw new LogError('trimmed', `${from} is gone`);
    return contiguous(found);
  }

  tail(from: number, options: TailOptions): AsyncIterable<readonly StoredEntry[]> {
    const { nats, liveSubject } = this.#options;
    return new JetStreamTail({ ...options, log: this, nats, liveSubject, clock: this.#clock }).run(from);
  }

  async trim(upTo: number): Promise<void> {
    await this.#ask(`STREAM.PURGE.${this.#options.stream}`, { seq: upTo + 1 }, readMs);
  }

  /** One request to JetStream's API. Errors other than "no message" are thrown. */
  async #ask(what: string, body: object, timeoutMs: number): Promise<ApiAnswer> {
    const reply = await ask(this.#options.nats, `$JS.API.${what}`, JSON.stringify(body), { timeoutMs });
    if (reply.kind !== 'answer') {
      const why = reply.kind === 'nobody' ? 'no server is there for it' : reply.why;
      throw new LogError('unavailable', `${what} was not answered: ${why}`);
    }
    const answer = parse(reply.message);
    if (answer.error === undefined || answer.error.err_code === apiError.noMessageFound) return answer;
    const code = answer.error.err_code === apiError.streamNotFound ? 'missing' : 'unavailable';
    throw new LogError(code, `${what}: ${answer.error.description ?? answer.error.code}`);
  }
}

const parse = (message: Msg): ApiAnswer => JSON.parse(message.string()) as ApiAnswer;

function attemptOf(answer: ApiAnswer): Attempt {
  if (answer.error === undefined) {
    return answer.seq === undefined
      ? { result: 'silent', message: 'an acknowledgement without a sequence' }
      : { result: 'stored', seq: answer.seq };
  }
  const code = answer.error.err_code;
  const message = answer.error.description ?? String(answer.error.code);
  if (wrongLastSequence.includes(code)) {
    return { result: 'wrong-last', last: Number(/: (\d+)$/.exec(message)?.[1] ?? -1) };
  }
  return noSpace.includes(code) ? { result: 'full', message } : { result: 'silent', message };
}

/** The part before the first gap. */
function contiguous(entries: readonly StoredEntry[]): readonly StoredEntry[] {
  const gap = entries.findIndex((entry, index) => index > 0 && entry.seq !== (entries[index - 1]?.seq ?? 0) + 1);
  return gap === -1 ? entries : entries.slice(0, gap);
}
