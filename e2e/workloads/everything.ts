import type { Endpoints } from '../resources.ts';
import { ChatConversation, type ConversationReport } from './chat-conversation.ts';
import { DatabaseWriter, type WriterReport } from './database-writer.ts';
import { DocumentWriter, type DocumentsReport } from './document-writer.ts';
import { gets, HttpPoller } from './http-poller.ts';

/** How all four services did. */
export interface EverythingReport {
  readonly database: WriterReport;
  readonly chat: ConversationReport;
  readonly edge: { good: number; bad: number };
  readonly search: { good: number; bad: number };
  readonly documents: DocumentsReport;
  /** Longest time without a success, ms. */
  readonly outages: { database: number; chat: number; edge: number; search: number };
}

/** Traffic on all four services at once, with clients that are not ours where there are such. */
export class Everything {
  readonly database: DatabaseWriter;
  readonly chat: ChatConversation;
  readonly edge: HttpPoller;
  readonly search: HttpPoller;
  readonly documents: DocumentWriter;

  readonly #endpoints: Endpoints;

  /** @param paceMs rest after each request of each client; 0 = as fast as they can */
  constructor(endpoints: Endpoints, name: string, paceMs = 0) {
    const { host, edge, search, chat, database } = endpoints;
    this.#endpoints = endpoints;
    this.database = new DatabaseWriter(host, database, { paceMs });
    this.chat = new ChatConversation(`ws://${host}:${chat}/connection/websocket`, 'support', name, Math.max(5, paceMs));
    this.edge = new HttpPoller(gets(`http://${host}:${edge}/`));
    this.search = new HttpPoller(async (signal) => {
      const response = await fetch(`http://${host}:${search}/products/_search?q=bicycle`, { signal });
      const body = (await response.json()) as { _shards?: { failed: number } };
      return response.status === 200 && body._shards?.failed === 0;
    });
    this.documents = new DocumentWriter(`http://${host}:${search}/products`, name.replaceAll(/[^a-z0-9]/gi, ''));
  }

  async start(): Promise<void> {
    const { host, search } = this.#endpoints;
    await fetch(`http://${host}:${search}/products/_doc/everything?refresh=true`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ title: 'a bicycle' }),
    });
    await this.chat.start();
  }

  /** Successes of each service so far. */
  get successes(): { database: number; chat: number; edge: number; search: number } {
    return {
      database: this.database.acknowledged,
      chat: this.chat.acknowledged,
      edge: this.edge.good,
      search: this.search.good,
    };
  }

  /** Forgets earlier outages. */
  resetOutages(): void {
    for (const it of [this.database, this.chat, this.edge, this.search]) it.outage.reset();
  }

  async finish(): Promise<EverythingReport> {
    const outages = {
      database: this.database.outage.longestMs,
      chat: this.chat.outage.longestMs,
      edge: this.edge.outage.longestMs,
      search: this.search.outage.longestMs,
    };
    const [database, chat, edge, search, documents] = await Promise.all([
      this.database.finish(),
      this.chat.finish(),
      this.edge.finish(),
      this.search.finish(),
      this.documents.finish(),
    ]);
    return { database, chat, edge, search, documents, outages };
  }
}
