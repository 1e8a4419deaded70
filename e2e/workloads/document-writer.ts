import { setTimeout as sleep } from 'node:timers/promises';

/** What a run of the writer ended with. */
export interface DocumentsReport {
  readonly acknowledged: number;
  readonly errors: number;
  /** Acknowledged documents that a search for their common word does not find. */
  readonly lost: readonly string[];
}

/** Indexes documents that share one rare word, one at a time, and in the end searches for that word. */
export class DocumentWriter {
  readonly #url: string;
  readonly #word: string;
  readonly #stop = new AbortController();
  readonly #acknowledged = new Set<string>();
  readonly #running: Promise<void>;
  #errors = 0;

  /**
   * @param url of the index, such as `http://127.0.0.1:9200/products`
   * @param word letters and digits that no other document holds
   */
  constructor(url: string, word: string) {
    this.#url = url;
    this.#word = word;
    this.#running = this.#write();
  }

  get acknowledged(): number {
    return this.#acknowledged.size;
  }

  /** Stops, makes all documents visible, and looks for each. */
  async finish(): Promise<DocumentsReport> {
    this.#stop.abort();
    await this.#running;
    const found = await this.#found();
    const lost = [...this.#acknowledged].filter((id) => !found.has(id));
    return { acknowledged: this.#acknowledged.size, errors: this.#errors, lost };
  }

  async #write(): Promise<void> {
    for (let number = 1; !this.#stop.signal.aborted; number++) {
      const id = `${this.#word}-${number}`;
      try {
        const response = await this.#ask('PUT', `_doc/${id}`, { title: `a bicycle ${this.#word}`, price: number });
        if (response.ok) this.#acknowledged.add(id);
        else this.#errors++;
        await response.arrayBuffer();
      } catch {
        this.#errors++;
      }
      await sleep(50);
    }
  }

  async #found(): Promise<ReadonlySet<string>> {
    await (await this.#ask('POST', '_refresh')).arrayBuffer();
    const query = { size: 10_000, _source: false, query: { match: { title: this.#word } } };
    const response = await this.#ask('POST', '_search', query);
    if (!response.ok) throw new Error(`search: ${response.status} ${await response.text()}`);
    const body = (await response.json()) as { hits: { hits: { _id: string }[] } };
    return new Set(body.hits.hits.map((hit) => hit._id));
  }

  #ask(method: string, path: string, body?: object): Promise<Response> {
    return fetch(`${this.#url}/${path}`, {
      method,
      signal: AbortSignal.timeout(5_000),
      headers: { 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
  }
}
