import { stat } from 'node:fs/promises';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { BenchDocument } from './zipf-documents.ts';

/** The peer: SQLite's FTS5, as Node brings it, in a file. */
export class Fts5Engine {
  readonly #database: DatabaseSync;
  readonly #path: string;
  #select: StatementSync | null = null;

  constructor(path: string) {
    this.#path = path;
    this.#database = new DatabaseSync(path);
    this.#database.exec(
      'pragma journal_mode = wal; pragma synchronous = normal; pragma cache_size = -262144; pragma mmap_size = 2147483648',
    );
    this.#database.exec("create virtual table docs using fts5(id unindexed, body, tokenize = 'unicode61')");
  }

  index(documents: Iterable<BenchDocument>): void {
    const insert = this.#database.prepare('insert into docs (id, body) values (?, ?)');
    this.#database.exec('begin');
    for (const { id, body } of documents) insert.run(id, body);
    this.#database.exec("commit; insert into docs (docs) values ('optimize'); pragma wal_checkpoint(truncate)");
  }

  /** Top 10 by its own BM25, with their ids. */
  search(expression: string): string[] {
    this.#select ??= this.#database.prepare('select id from docs where docs match ? order by rank limit 10');
    return this.#select.all(expression).map((row) => String(row['id']));
  }

  async bytesOnDisk(): Promise<number> {
    return (await stat(this.#path)).size;
  }

  close(): void {
    this.#database.close();
  }
}
