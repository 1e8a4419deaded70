import type { Replica } from '../../replica/replica.ts';
import { ReplicaError } from '../../replica/replica-error.ts';
import type { SearchMachine } from '../machine.ts';
import { WriteAuthority } from '../primary/write-authority.ts';
import { SearchError } from '../search-error.ts';
import {
  type DocumentContent,
  type GetReply,
  type InfoReply,
  maxReplyBytes,
  memberRequest,
  type MemberReply,
  type MemberRequest,
} from './protocol.ts';
import { ShardSearcher } from './shard-searcher.ts';

/** Requests that one member works on at a time; more are refused. */
const mostAtOnce = 256;

type OfType<T extends MemberRequest['type']> = Extract<MemberRequest, { type: T }>;

/** Answers the requests of gateways. */
export class MemberService {
  readonly #machine: SearchMachine;
  readonly #replica: () => Replica;
  readonly #authority: WriteAuthority;
  readonly #searcher: ShardSearcher;
  #active = 0;
  #requests = 0;

  /** `replica`: answers once the replica runs; nothing is handled before. */
  constructor(machine: SearchMachine, replica: () => Replica) {
    this.#machine = machine;
    this.#replica = replica;
    this.#authority = new WriteAuthority(machine, replica);
    this.#searcher = new ShardSearcher(machine);
  }

  /** Requests since the start. */
  get requests(): number {
    return this.#requests;
  }

  /** Requests being worked on. */
  get active(): number {
    return this.#active;
  }

  /** One request to its reply, as JSON. Never rejects. */
  async handle(text: string): Promise<string> {
    if (this.#active >= mostAtOnce)
      return refusal(new SearchError('overloaded', 'rejected_execution_exception', 'too many requests'));
    this.#active++;
    this.#requests++;
    try {
      const request = memberRequest.parse(JSON.parse(text));
      const reply = await (this.#handlers[request.type] as (request: MemberRequest) => unknown)(request);
      return JSON.stringify(reply);
    } catch (error) {
      return refusal(error);
    } finally {
      this.#active--;
    }
  }

  readonly #handlers: { readonly [T in MemberRequest['type']]: (request: OfType<T>) => unknown } = {
    write: async ({ items }) => ({
      ok: true,
      outcomes: await Promise.all(items.map((item) => this.#authority.write(item))),
    }),
    get: (request) => this.#get(request),
    prepare: ({ query }) => ({ ok: true, ...this.#searcher.prepare(query) }),
    search: (request) => this.#search(request),
    fetch: ({ token, hits }) => {
      const reply = this.#searcher.fetch(token, hits);
      return reply === undefined ? behind('expired', 'the search is not remembered any more') : { ok: true, ...reply };
    },
    info: () => ({ ok: true, ...this.#info() }),
    'create-index': async (request) => this.#done(this.#authority.createIndex(request)),
    'drop-index': async () => this.#done(this.#authority.dropIndex()),
    mappings: async (request) => this.#done(this.#authority.putMappings(request)),
  };

  async #done(work: Promise<void>): Promise<MemberReply<InfoReply>> {
    await work;
    return { ok: true, ...this.#info() };
  }

  #info(): InfoReply {
    const { index, mappings, documents, changed } = this.#machine.store;
    return {
      index,
      mappings: mappings.data(),
      documents: documents.count,
      deleted: documents.deleted,
      bytes: documents.bytes,
      segments: documents.entries.length,
      changed,
    };
  }

  async #get({ ids, linearizable }: OfType<'get'>): Promise<MemberReply<GetReply>> {
    if (linearizable) await this.#replica().readBarrier();
    const { store } = this.#machine;
    const documents: (DocumentContent | null)[] = [];
    let bytes = 0;
    for (const id of ids) {
      const stored = store.documents.find(id);
      const text = stored === null ? '' : Buffer.from(stored.source).toString();
      bytes += text.length;
      if (bytes > maxReplyBytes && documents.length > 0) break;
      const { version, seqNo, primaryTerm } = stored ?? { version: 0, seqNo: 0, primaryTerm: 0 };
      documents.push(stored === null ? null : { source: JSON.parse(text) as unknown, version, seqNo, primaryTerm });
    }
    return { ok: true, exists: store.index !== null, documents };
  }

  async #search(request: OfType<'search'>): Promise<unknown> {
    if (!(await this.#machine.whenChanged(request.changed, request.waitMs))) {
      return behind('behind', `has applied ${this.#machine.store.changed}, not yet ${request.changed}`);
    }
    return { ok: true, ...this.#searcher.search(request) };
  }
}

function behind(code: 'behind' | 'expired', reason: string): MemberReply<never> {
  return { ok: false, code, errorType: 'unavailable_shards_exception', reason };
}

function refusal(error: unknown): string {
  const reply = (
    code: Extract<MemberReply<object>, { ok: false }>['code'],
    errorType: string,
    reason: string,
  ): string => JSON.stringify({ ok: false, code, errorType, reason } satisfies MemberReply<object>);
  if (error instanceof SearchError) return reply(error.code, error.type, error.message);
  if (error instanceof ReplicaError) {
    const code =
      error.code === 'unknown-outcome' ? error.code : error.code === 'not-primary' ? error.code : 'overloaded';
    return reply(code, 'unavailable_shards_exception', `${error.code}: ${error.message}`);
  }
  return reply('failed', 'exception', error instanceof Error ? error.message.slice(0, 500) : String(error));
}
