import type { SearchShardEntry } from '../../../contract/directory.ts';
import type { IndexRoute } from './index-map.ts';
import type { MemberAccess } from './member-client.ts';

export type HealthStatus = 'green' | 'yellow' | 'red';

/** One copy of a shard as `_cat/shards` lists it. */
export interface ShardCopy {
  readonly index: string;
  readonly ordinal: number;
  readonly primary: boolean;
  readonly state: 'STARTED' | 'INITIALIZING' | 'UNASSIGNED';
  readonly documents: number;
  readonly bytes: number;
  readonly pod: string;
  readonly node: string;
}

const states: Readonly<Record<string, ShardCopy['state']>> = {
  primary: 'STARTED',
  following: 'STARTED',
  promoting: 'STARTED',
  starting: 'INITIALIZING',
  rebuilding: 'INITIALIZING',
};

function copiesOfShard(entry: SearchShardEntry, client: MemberAccess): ShardCopy[] {
  const primary = client.primaryOf(entry);
  return entry.members.map(({ pod, node }) => {
    const report = client.alive(pod) ? client.report(pod) : undefined;
    return {
      index: entry.index,
      ordinal: entry.ordinal,
      primary: pod === primary,
      state: states[report?.state ?? ''] ?? 'UNASSIGNED',
      documents: report?.figures['documents'] ?? 0,
      bytes: report?.figures['bytes'] ?? 0,
      pod,
      node,
    };
  });
}

/** All copies of an index's shards. */
export function copiesOf(route: IndexRoute, client: MemberAccess): ShardCopy[] {
  return route.shards.flatMap((entry) => (entry === undefined ? [] : copiesOfShard(entry, client)));
}

/** Red: a shard has no working primary. Yellow: a copy is not there. */
export function healthOf(route: IndexRoute, client: MemberAccess): HealthStatus {
  const copies = copiesOf(route, client);
  for (let ordinal = 0; ordinal < route.of; ordinal++) {
    const works = copies.some((copy) => copy.ordinal === ordinal && copy.primary && copy.state === 'STARTED');
    if (!works) return 'red';
  }
  return copies.every(({ state }) => state === 'STARTED') ? 'green' : 'yellow';
}

export function worst(statuses: readonly HealthStatus[]): HealthStatus {
  if (statuses.includes('red')) return 'red';
  return statuses.includes('yellow') ? 'yellow' : 'green';
}
