import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { SearchShardEntry } from '../../../contract/directory.ts';
import { mappingsToJson, parseMappings } from '../mapping/mapping-json.ts';
import { Mappings, type MappingsData } from '../mapping/mappings.ts';
import type { InfoReply } from '../member/protocol.ts';
import { badRequest, SearchError } from '../search-error.ts';
import { indexMissing } from './http-error.ts';
import type { IndexRoute } from './index-map.ts';
import type { PrimaryRequests } from './primary-requests.ts';

const createBody = z.strictObject({
  settings: z.record(z.string(), z.unknown()).optional(),
  mappings: z.unknown().optional(),
  aliases: z.strictObject({}, 'aliases are not supported').optional(),
});

/** Settings that do no harm: the operator and this engine decide about what they ask for. */
const acceptedSettings = new Set(['number_of_shards', 'number_of_replicas', 'refresh_interval', 'max_result_window']);

/** How long a description waits for a primary. */
const infoMs = 5000;

/** What a shard says of its index, when it has one. */
interface ShardInfo {
  readonly shard: SearchShardEntry;
  readonly info: InfoReply;
}

/** An index over all its shards. */
export interface IndexOverview {
  readonly index: string;
  readonly uuid: string;
  readonly createdAt: number;
  readonly shards: number;
  readonly mappings: MappingsData;
  readonly documents: number;
  readonly deleted: number;
  readonly bytes: number;
}

function shardsIn(settings: Record<string, unknown>): string | null {
  const flat = new Map<string, unknown>();
  const nested = (settings['index'] ?? {}) as Record<string, unknown>;
  for (const [key, value] of Object.entries({ ...settings, ...nested })) {
    if (key !== 'index') flat.set(key.replace(/^index\./, ''), value);
  }
  for (const key of flat.keys()) {
    if (!acceptedSettings.has(key)) throw badRequest('illegal_argument_exception', `unknown setting [index.${key}]`);
  }
  const shards = flat.get('number_of_shards');
  return shards === undefined ? null : String(shards);
}

/** Creates, drops and describes indexes: the same on all shards of one, through their primaries. */
export class IndexAdmin {
  readonly #primaries: PrimaryRequests;

  constructor(primaries: PrimaryRequests) {
    this.#primaries = primaries;
  }

  /** Throws SearchError; `index-exists` when all shards have it already. */
  async create(route: IndexRoute, body: unknown): Promise<void> {
    const parsed = createBody.safeParse(body ?? {});
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      const what =
        issue?.code === 'unrecognized_keys'
          ? `unknown key [${issue.keys.join(', ')}] for create index`
          : issue?.message;
      throw badRequest('parse_exception', what ?? 'malformed');
    }
    const wanted = shardsIn(parsed.data.settings ?? {});
    if (wanted !== null && wanted !== String(route.of)) {
      throw badRequest(
        'illegal_argument_exception',
        `[number_of_shards] is [${wanted}], but the SearchShards of [${route.index}] say spec.of: ${route.of}; change one of them`,
      );
    }
    const mappings = parseMappings(parsed.data.mappings);
    new Mappings({ dynamic: mappings.dynamic, fields: [] }, route.analyzer).add(mappings.fields);
    await this.#createOn(route, mappings);
  }

  async #createOn(route: IndexRoute, wanted: MappingsData): Promise<void> {
    const infos = await this.#infos(route);
    const first = infos.find(({ info }) => info.index !== null)?.info;
    const missing = infos.filter(({ info }) => info.index === null);
    if (missing.length === 0) {
      throw new SearchError(
        'index-exists',
        'resource_already_exists_exception',
        `index [${route.index}/${first?.index?.uuid}] already exists`,
      );
    }
    // a creation that was cut short is completed as it was begun
    const info = first?.index ?? {
      uuid: randomUUID().replaceAll('-', '').slice(0, 22),
      createdAt: Date.now(),
      shards: route.of,
      analyzer: route.analyzer,
    };
    const { dynamic, fields } = first?.mappings ?? wanted;
    await Promise.all(
      missing.map(({ shard }) =>
        this.#primaries.ask(shard, { type: 'create-index', info, mappings: { dynamic, fields } }),
      ),
    );
  }

  /** Creates the index when a write comes before it; somebody else having done so is fine. */
  async ensure(route: IndexRoute): Promise<void> {
    try {
      await this.#createOn(route, { dynamic: 'true', fields: [] });
    } catch (error) {
      if (!(error instanceof SearchError) || error.code !== 'index-exists') throw error;
    }
  }

  async drop(route: IndexRoute): Promise<void> {
    const infos = await this.#infos(route);
    if (infos.every(({ info }) => info.index === null)) throw indexMissing(route.index);
    await Promise.all(infos.map(({ shard }) => this.#primaries.ask(shard, { type: 'drop-index' })));
  }

  async putMappings(route: IndexRoute, body: unknown): Promise<void> {
    const { dynamic, fields, dynamicGiven } = parseMappings(body);
    const { mappings } = await this.describe(route);
    const merged = new Mappings(mappings, route.analyzer);
    merged.add(fields);
    const change: MappingsData = { dynamic: dynamicGiven ? dynamic : mappings.dynamic, fields };
    await Promise.all(
      this.#entries(route).map((shard) => this.#primaries.ask(shard, { type: 'mappings', mappings: change })),
    );
  }

  /** Throws `index-missing` when no shard has it. */
  async describe(route: IndexRoute): Promise<IndexOverview> {
    const infos = (await this.#infos(route)).map(({ info }) => info).filter(({ index }) => index !== null);
    const [first] = infos;
    if (first === undefined || first.index === null) throw indexMissing(route.index);
    // dynamic fields are born on single shards
    const fields = new Map(
      infos.flatMap(({ mappings }) => mappings.fields.map((field) => [field.path, field] as const)),
    );
    const sum = (of: (info: InfoReply) => number): number => infos.reduce((total, info) => total + of(info), 0);
    return {
      index: route.index,
      uuid: first.index.uuid,
      createdAt: first.index.createdAt,
      shards: route.of,
      mappings: { dynamic: first.mappings.dynamic, fields: [...fields.values()] },
      documents: sum(({ documents }) => documents),
      deleted: sum(({ deleted }) => deleted),
      bytes: sum(({ bytes }) => bytes),
    };
  }

  #entries(route: IndexRoute): SearchShardEntry[] {
    return route.shards.map((shard, ordinal) => {
      if (shard !== undefined) return shard;
      throw new SearchError(
        'unavailable',
        'unavailable_shards_exception',
        `no SearchShard provides shard ${ordinal} of [${route.index}] (spec.of: ${route.of}): apply one`,
      );
    });
  }

  #infos(route: IndexRoute): Promise<ShardInfo[]> {
    return Promise.all(
      this.#entries(route).map(async (shard) => ({
        shard,
        info: await this.#primaries.ask<InfoReply>(shard, { type: 'info' }, infoMs),
      })),
    );
  }
}

/** An index as `GET /name` shows it. */
export function overviewJson({ index, uuid, createdAt, shards, mappings }: IndexOverview, replicas: number): object {
  return {
    aliases: {},
    mappings: mappingsToJson(mappings),
    settings: {
      index: {
        creation_date: String(createdAt),
        number_of_shards: String(shards),
        number_of_replicas: String(replicas),
        uuid,
        provided_name: index,
      },
    },
  };
}
