import type { Replica } from '../../replica/replica.ts';
import { ReplicaError } from '../../replica/replica-error.ts';
import type { LeadershipListener, SearchMachine } from '../machine.ts';
import type { Mappings } from '../mapping/mappings.ts';
import { parseDocument } from '../mapping/parse-document.ts';
import { badRequest, SearchError } from '../search-error.ts';
import { encodeOperation, type Operation } from '../store/operation.ts';
import { decideWrite, type DocumentState } from './decide-write.ts';
import { mergeUpdate } from './merge-update.ts';
import { maxIdBytes, type WriteItem, type WriteOutcome } from './write-item.ts';

/** A write that is in the log, or may get there, and is not applied yet. */
interface InFlight extends DocumentState {
  readonly source: string | null;
  /** Settles with the write; never rejects. */
  readonly settled: Promise<void>;
}

/** Decisions about one item before it gives way to what is in flight. */
const mostAttempts = 20;

/**
 * Decides writes on the primary: against the applied state and what is in flight. What it answers positively is in the log.
 * A refusal that rests on something in flight waits for that first, so that nobody is told of a write that never was.
 */
export class WriteAuthority implements LeadershipListener {
  readonly #machine: SearchMachine;
  readonly #replica: () => Replica;
  readonly #inFlight = new Map<string, InFlight>();
  readonly #nonces = new Map<string, Promise<WriteOutcome>>();
  /** Mappings with the fields of documents in flight; null: as applied. */
  #mappings: Mappings | null = null;
  #proposing = 0;
  #nextSeqNo = 0;
  #term = 0;

  constructor(machine: SearchMachine, replica: () => Replica) {
    this.#machine = machine;
    this.#replica = replica;
    machine.onLeadership(this);
  }

  lead(term: number): void {
    this.#term = term;
    this.#reset();
  }

  follow(): void {
    this.#reset();
  }

  #reset(): void {
    this.#inFlight.clear();
    this.#nonces.clear();
    this.#mappings = null;
    this.#nextSeqNo = this.#machine.store.maxSeqNo + 1;
  }

  /** Carries out one write. Never rejects: what goes wrong is in the outcome. */
  async write(item: WriteItem): Promise<WriteOutcome> {
    const running = this.#nonces.get(item.nonce);
    if (running !== undefined) return running;
    const outcome = this.#write(item).catch((error: unknown) => outcomeOf(error));
    this.#nonces.set(item.nonce, outcome);
    try {
      return await outcome;
    } finally {
      if (this.#nonces.get(item.nonce) === outcome) this.#nonces.delete(item.nonce);
    }
  }

  async #write(item: WriteItem): Promise<WriteOutcome> {
    if (!this.#replica().leading) throw new SearchError('not-primary', 'not_primary', 'this replica does not lead');
    if (Buffer.byteLength(item.id) > maxIdBytes) {
      throw badRequest(
        'illegal_argument_exception',
        `id [${item.id.slice(0, 40)}…] is too long, must be no longer than ${maxIdBytes} bytes`,
      );
    }
    const done = this.#machine.store.writes.get(item.nonce);
    if (done !== undefined) {
      return { ok: true, ...done, result: done.result as 'created', primaryTerm: this.#term };
    }
    for (let attempt = 0; attempt < mostAttempts; attempt++) {
      if (this.#machine.store.index === null)
        throw new SearchError('index-missing', 'index_not_found_exception', 'no such index');
      const pending = this.#inFlight.get(item.id);
      const attempted = this.#attempt(item);
      if (attempted instanceof Promise) return attempted;
      if (pending === undefined) {
        await this.#replica().readBarrier();
        return attempted;
      }
      await pending.settled;
    }
    return failure('retry', 503, 'process_cluster_event_timeout_exception', 'too much contention on one document');
  }

  /** Starts the write and promises its outcome; or an answer that needs no write. */
  #attempt(item: WriteItem): Promise<WriteOutcome> | WriteOutcome {
    const state = this.#stateOf(item.id);
    const prepared = item.kind === 'update' ? this.#prepareUpdate(item, state) : item;
    if ('ok' in prepared) return prepared;
    const decision = decideWrite(prepared, state);
    if (decision.kind === 'answer') return decision.outcome;
    const { version, result } = decision;
    const source = prepared.source ?? '';
    if (result !== 'deleted') this.#checkDocument(source);
    const seqNo = this.#nextSeqNo;
    const { id, nonce } = item;
    const operation: Operation =
      result === 'deleted'
        ? { type: 'delete', id, version, seqNo, nonce }
        : { type: 'index', id, version, seqNo, nonce, result };
    const encoded = encodeOperation(operation, Buffer.from(source));
    const refusal = this.#replica().refusal(encoded.length);
    if (refusal !== null) throw new ReplicaError(refusal, 'refused');
    this.#nextSeqNo++;
    const term = this.#term;
    const proposed = this.#propose(encoded);
    this.#track(id, { exists: result !== 'deleted', version, seqNo, primaryTerm: term, source }, proposed);
    return proposed.then((): WriteOutcome => ({ ok: true, result, version, seqNo, primaryTerm: term }));
  }

  async #propose(encoded: Uint8Array): Promise<void> {
    this.#proposing++;
    try {
      await this.#replica().propose(encoded);
    } finally {
      // with nothing in flight, what is applied is all there is
      if (--this.#proposing === 0) this.#mappings = null;
    }
  }

  #track(id: string, state: DocumentState & { source: string }, proposed: Promise<void>): void {
    const settled = proposed.then(
      () => {},
      () => {},
    );
    const entry: InFlight = { ...state, settled };
    this.#inFlight.set(id, entry);
    void settled.then(() => {
      if (this.#inFlight.get(id) === entry) this.#inFlight.delete(id);
    });
  }

  #stateOf(id: string): DocumentState | null {
    const pending = this.#inFlight.get(id);
    if (pending !== undefined) return pending;
    const { documents, tombstones } = this.#machine.store;
    const stored = documents.find(id);
    if (stored !== null)
      return { exists: true, version: stored.version, seqNo: stored.seqNo, primaryTerm: stored.primaryTerm };
    const tombstone = tombstones.get(id);
    return tombstone === undefined ? null : { exists: false, ...tombstone, primaryTerm: this.#term };
  }

  #sourceOf(id: string): string | null {
    const pending = this.#inFlight.get(id);
    if (pending !== undefined) return pending.exists ? pending.source : null;
    const stored = this.#machine.store.documents.find(id);
    return stored === null ? null : Buffer.from(stored.source).toString();
  }

  #prepareUpdate(item: WriteItem, state: DocumentState | null): WriteItem | WriteOutcome {
    const merged = mergeUpdate(item.source ?? '', this.#sourceOf(item.id));
    if (merged.kind === 'write') return { ...item, kind: 'index', source: merged.source };
    if (merged.kind === 'missing') {
      return failure('no', 404, 'document_missing_exception', `[${item.id}]: document missing`);
    }
    const { version, seqNo, primaryTerm } = state ?? { version: 0, seqNo: 0, primaryTerm: 0 };
    return { ok: true, result: 'noop', version, seqNo, primaryTerm };
  }

  /** Refuses a document that does not fit the mappings, those of documents in flight included. */
  #checkDocument(source: string): void {
    let json: unknown;
    try {
      json = JSON.parse(source);
    } catch (error) {
      throw new SearchError('bad-request', 'mapper_parsing_exception', `failed to parse: ${(error as Error).message}`, {
        cause: error,
      });
    }
    const known = this.#mappings ?? this.#machine.store.mappings;
    const { added } = parseDocument(json, known.overlay(), 'strict');
    if (added.length === 0) return;
    this.#mappings ??= this.#machine.store.mappings.clone();
    this.#mappings.add(added);
  }

  /** Creates the index on this shard. Asking again for the same one is fine. */
  async createIndex(operation: Extract<Operation, { type: 'create-index' }>): Promise<void> {
    await this.#replica().readBarrier();
    const { index } = this.#machine.store;
    if (index?.uuid === operation.info.uuid) return;
    if (index !== null)
      throw new SearchError('index-exists', 'resource_already_exists_exception', 'index already exists');
    await this.#propose(encodeOperation(operation));
    this.#reset();
  }

  async dropIndex(): Promise<void> {
    await this.#replica().readBarrier();
    if (this.#machine.store.index === null) return;
    await this.#propose(encodeOperation({ type: 'drop-index' }));
    this.#reset();
  }

  /** Adds fields to the mappings. Throws bad-request when one would change. */
  async putMappings(operation: Extract<Operation, { type: 'mappings' }>): Promise<void> {
    await this.#replica().readBarrier();
    if (this.#machine.store.index === null)
      throw new SearchError('index-missing', 'index_not_found_exception', 'no such index');
    const trial = (this.#mappings ?? this.#machine.store.mappings).clone();
    trial.add(operation.mappings.fields);
    this.#mappings = trial;
    await this.#propose(encodeOperation(operation));
  }
}

function failure(retry: 'no' | 'retry' | 'unknown', status: number, type: string, reason: string): WriteOutcome {
  return { ok: false, retry, status, type, reason };
}

/** What a client is told of an error on the way to the log. */
function outcomeOf(error: unknown): WriteOutcome {
  if (error instanceof ReplicaError) {
    if (error.code === 'too-large')
      return failure('no', 413, 'illegal_argument_exception', 'the document is too large');
    if (error.code === 'log-full')
      return failure('no', 429, 'circuit_breaking_exception', 'the log of this shard is full');
    const unknown = error.code === 'unknown-outcome';
    return failure(
      unknown ? 'unknown' : 'retry',
      503,
      'unavailable_shards_exception',
      `${error.code}: ${error.message}`,
    );
  }
  if (!(error instanceof SearchError)) return failure('no', 500, 'exception', String(error));
  if (error.code === 'bad-request') return failure('no', 400, error.type, error.message);
  if (error.code === 'index-missing') return failure('no', 404, error.type, error.message);
  return failure(error.code === 'unknown-outcome' ? 'unknown' : 'retry', 503, error.type, error.message);
}
