import type { RangeReport } from '../../../contract/heartbeat.ts';
import { until } from '../../../local/processes/until.ts';
import type { DbCluster } from './cluster.ts';

/** The newest range that a member of a shard told of. */
export const newestRange = (cluster: DbCluster, shard: string): RangeReport | undefined =>
  (cluster.members.get(shard) ?? [])
    .flatMap(({ pod }) => cluster.report(pod)?.range ?? [])
    .toSorted((a, b) => b.epoch - a.epoch)[0];

/** Waits until a shard's log says something. */
export const rangeSeen = (
  cluster: DbCluster,
  shard: string,
  what: string,
  look: (range: RangeReport) => boolean,
): Promise<true> =>
  until({ what: `${shard} to be ${what}`, timeoutMs: 60_000, everyMs: 1 }, () => {
    const range = newestRange(cluster, shard);
    return range && look(range) ? true : undefined;
  });

/** The primary dies at once, another member leads, and the dead one comes back. */
export const failOver = async (cluster: DbCluster, shard: string): Promise<void> => {
  const primary = await cluster.primary(shard);
  await primary.kill();
  const other = cluster.members.get(shard)?.find(({ pod }) => pod !== primary.pod);
  if (!other) throw new Error(`${shard} has one member only`);
  await cluster.promote(other.pod, (cluster.report(primary.pod)?.term ?? 0) + 1);
  primary.restart();
};
