import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { SearchMachine } from '../../dataplane/search/machine.ts';
import { Planner } from '../../dataplane/search/query/make-plan.ts';
import { parseQuery } from '../../dataplane/search/query/parse-query.ts';
import { searchSegments } from '../../dataplane/search/scoring/search-segments.ts';
import { shardStatistics } from '../../dataplane/search/scoring/shard-statistics.ts';
import { encodeOperation } from '../../dataplane/search/store/operation.ts';
import type { BenchDocument } from './zipf-documents.ts';

const batchDocuments = 1000;

async function directoryBytes(path: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(path)) bytes += (await stat(join(path, name))).size;
  return bytes;
}

/** One shard's engine without network and log: operations are applied as a replica applies them. */
export class QuartetEngine {
  readonly #machine: SearchMachine;
  readonly #path: string;

  private constructor(machine: SearchMachine, path: string) {
    this.#machine = machine;
    this.#path = path;
  }

  static async open(path: string): Promise<QuartetEngine> {
    return new QuartetEngine(await SearchMachine.open(path), path);
  }

  /** Indexes, merges and writes everything to disk. */
  async index(documents: Iterable<BenchDocument>): Promise<void> {
    const info = { uuid: 'bench', createdAt: 0, shards: 1, analyzer: 'plain' as const };
    const fields = [{ path: 'body', type: 'text' as const }];
    let seq = 0;
    let seqNo = 0;
    let operations = [encodeOperation({ type: 'create-index', info, mappings: { dynamic: 'false', fields } })];
    const apply = async (): Promise<void> => {
      seq++;
      const position = { seq, term: 1, log: 'bench', chain: '', time: seq };
      await this.#machine.apply([{ seq, term: 1, time: seq, operations }], position);
      operations = [];
      await nextTurn();
    };
    for (const { id, body } of documents) {
      const source = Buffer.from(JSON.stringify({ body }));
      operations.push(
        encodeOperation({ type: 'index', id, version: 1, seqNo: seqNo++, nonce: id, result: 'created' }, source),
      );
      if (operations.length >= batchDocuments) await apply();
    }
    await apply();
    await this.settle();
  }

  /** Does the merges that are due and writes everything. */
  async settle(): Promise<void> {
    await this.#machine.settled();
    await this.#machine.flush();
  }

  /**
   * Top 10 by score, with their ids, from the JSON of the query on: parsing, statistics, search. `countUpTo`: matches that are
   * counted (`track_total_hits`); 0: none, as FTS5 does.
   */
  search(dsl: object, countUpTo = 0): { ids: string[]; total: number } {
    const { documents, mappings } = this.#machine.store;
    const segments = documents.refresh();
    const plan = new Planner(mappings).plan(parseQuery(dsl));
    const options = {
      statistics: shardStatistics(segments, plan),
      limit: 10,
      countUpTo,
      sort: null,
      after: null,
    };
    const { hits, total } = searchSegments(segments, plan, options);
    return { ids: hits.map(({ segment, doc }) => segments[segment]?.segment.idOf(doc) ?? ''), total };
  }

  get segments(): number {
    return this.#machine.store.documents.entries.length;
  }

  bytesOnDisk(): Promise<number> {
    return directoryBytes(this.#path);
  }
}
