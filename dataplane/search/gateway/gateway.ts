import type { SearchShardEntry } from '../../../contract/directory.ts';
import type { Directory } from '../../fabric/directory.ts';
import { badRequest, SearchError } from '../search-error.ts';
import { DocumentReader } from './document-reader.ts';
import { DocumentWriter } from './document-writer.ts';
import { IndexAdmin } from './index-admin.ts';
import { type IndexRoute, routeIndexes } from './index-map.ts';
import type { MemberAccess } from './member-client.ts';
import { PrimaryRequests } from './primary-requests.ts';
import { SearchCoordinator } from './search-coordinator.ts';

/** OpenSearch's rules for names of indexes, as far as a SearchShard can provide them. */
const indexName = /^[a-z0-9][a-z0-9_.-]{0,254}$/;

/** Everything that the routes of one gateway share. */
export class Gateway {
  readonly client: MemberAccess;
  readonly admin: IndexAdmin;
  readonly writer: DocumentWriter;
  readonly reader: DocumentReader;
  readonly searches: SearchCoordinator;
  readonly #directory: Directory<'search'>;
  #routes: ReadonlyMap<string, IndexRoute>;

  constructor(directory: Directory<'search'>, client: MemberAccess) {
    this.#directory = directory;
    this.#routes = routeIndexes(directory.entries.values());
    directory.onChange(() => (this.#routes = routeIndexes(directory.entries.values())));
    this.client = client;
    const primaries = new PrimaryRequests(this.client, (shard) => this.#current(shard));
    this.admin = new IndexAdmin(primaries);
    this.writer = new DocumentWriter(primaries, this.admin);
    this.reader = new DocumentReader(this.client);
    this.searches = new SearchCoordinator(this.client);
  }

  #current(shard: SearchShardEntry): SearchShardEntry {
    return this.#directory.entries.get(shard.name) ?? shard;
  }

  /** All indexes that SearchShards provide, whether they were created or not. */
  get routes(): ReadonlyMap<string, IndexRoute> {
    return this.#routes;
  }

  /** Throws: bad-request for a strange name, index-missing when no SearchShard provides it, unavailable for a conflict. */
  route(index: string): IndexRoute {
    if (!indexName.test(index))
      throw badRequest('invalid_index_name_exception', `Invalid index name [${index.slice(0, 100)}]`);
    const route = this.#routes.get(index);
    if (route === undefined) {
      throw new SearchError(
        'index-missing',
        'index_not_found_exception',
        `no such index [${index}]: no SearchShard provides it; apply SearchShard resources with spec.index: ${index}`,
      );
    }
    if (route.conflict !== null) {
      throw new SearchError(
        'unavailable',
        'cluster_block_exception',
        `index [${index}] is not served: ${route.conflict}`,
      );
    }
    return route;
  }
}
