import type { ShardFacts } from '../gateway/shard-facts.ts';
import { followedRedisVersion } from './server-facts.ts';
import type { Server, Session } from './session.ts';

/** Fields of one section, in order. */
export type Fields = Readonly<Record<string, string | number>>;
type Section = (server: Server, session: Session) => Fields;

const units = ['B', 'K', 'M', 'G', 'T'];

const human = (bytes: number): string => {
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return power === 0 ? `${bytes}B` : `${(bytes / 1024 ** power).toFixed(2)}${units[power]}`;
};

const shardsOf = ({ router }: Server, session: Session): ShardFacts[] => {
  const database = session.database ?? router.defaultDatabase;
  return database === null ? [] : router.shardFacts(database);
};

const sum = (shards: readonly ShardFacts[], figure: 'keys' | 'expiring' | 'sequence'): number =>
  shards.reduce((total, shard) => total + shard[figure], 0);

const server: Section = ({ facts }) => ({
  redis_version: followedRedisVersion,
  redis_mode: 'standalone',
  server_name: 'quartet',
  os: `${process.platform} ${process.arch}`,
  arch_bits: 64,
  process_id: process.pid,
  run_id: facts.incarnation.replaceAll('-', '').padEnd(40, '0').slice(0, 40),
  tcp_port: facts.port,
  uptime_in_seconds: Math.floor((Date.now() - facts.startedAt) / 1000),
  uptime_in_days: Math.floor((Date.now() - facts.startedAt) / 86_400_000),
  quartet_pod: facts.pod,
  quartet_node: facts.node,
});

const clients: Section = (it) => {
  const sessions = [...it.sessions()];
  return {
    connected_clients: sessions.length,
    maxclients: it.facts.maxClients,
    blocked_clients: 0,
    pubsub_clients: sessions.filter(({ channels, patterns }) => channels.size + patterns.size > 0).length,
    watching_clients: sessions.filter(({ watched }) => watched.size > 0).length,
  };
};

/** Memory of this gateway; the data is in the members. */
const memory: Section = () => {
  const { rss, heapUsed, external } = process.memoryUsage();
  const peak = process.resourceUsage().maxRSS * 1024;
  return {
    used_memory: heapUsed + external,
    used_memory_human: human(heapUsed + external),
    used_memory_rss: rss,
    used_memory_rss_human: human(rss),
    used_memory_peak: peak,
    used_memory_peak_human: human(peak),
    maxmemory: 0,
    maxmemory_human: '0B',
    maxmemory_policy: 'noeviction',
    mem_fragmentation_ratio: (rss / (heapUsed + external)).toFixed(2),
  };
};

/** Every acknowledged write is in the log, which is on disk: what Redis calls appendfsync always. */
const persistence: Section = () => ({
  loading: 0,
  rdb_changes_since_last_save: 0,
  rdb_bgsave_in_progress: 0,
  rdb_last_bgsave_status: 'ok',
  aof_enabled: 1,
  aof_rewrite_in_progress: 0,
  aof_last_write_status: 'ok',
});

const stats: Section = ({ facts, router, stats: commands, subscriptions }) => ({
  total_connections_received: facts.connectionsReceived,
  rejected_connections: facts.connectionsRejected,
  total_commands_processed: facts.commandsProcessed,
  instantaneous_ops_per_sec: Math.round(facts.rates.commands),
  total_net_input_bytes: facts.bytesIn,
  total_net_output_bytes: facts.bytesOut,
  instantaneous_input_kbps: (facts.rates.bytesIn / 1024).toFixed(2),
  instantaneous_output_kbps: (facts.rates.bytesOut / 1024).toFixed(2),
  total_error_replies: commands.errorReplies,
  evicted_keys: 0,
  pubsub_channels: subscriptions.channels.length,
  pubsub_patterns: subscriptions.patternCount,
  quartet_pending_requests: router.pending,
});

/**
 * Replicas are not listed as slaves: clients would connect to them and take one for the whole database. Section Shards
 * has them.
 */
const replication: Section = (it, session) => ({
  role: 'master',
  connected_slaves: 0,
  master_failover_state: 'no-failover',
  master_repl_offset: sum(shardsOf(it, session), 'sequence'),
});

const cpu: Section = () => {
  const { user, system } = process.cpuUsage();
  return { used_cpu_sys: system / 1e6, used_cpu_user: user / 1e6 };
};

const keyspace: Section = (it, session): Fields => {
  const shards = shardsOf(it, session);
  const keys = sum(shards, 'keys');
  return keys === 0 ? {} : { db0: `keys=${keys},expires=${sum(shards, 'expiring')},avg_ttl=0` };
};

/** A key as a value of a field, which knows no comma and no end of a line. */
const shown = (key: string): string => encodeURIComponent(Buffer.from(key, 'latin1').toString());

const shards: Section = (it, session) =>
  Object.fromEntries(
    shardsOf(it, session).map(({ name, range, primary, term, sequence, keys, members, alive, lag }, i) => [
      `shard${i}`,
      `name=${name},${range ? `from=${shown(range.start)},to=${shown(range.end)},epoch=${range.epoch},` : ''}primary=${primary ?? ''},term=${term},sequence=${sequence},keys=${keys},members=${members},alive=${alive},lag=${lag}`,
    ]),
  );

const commandstats: Section = ({ stats: { commands } }) =>
  Object.fromEntries(
    commands.map(({ name, latency: { count, sum: micros }, rejected, failed }) => [
      `cmdstat_${name.toLowerCase()}`,
      `calls=${count},usec=${Math.round(micros)},usec_per_call=${(micros / Math.max(1, count)).toFixed(2)},rejected_calls=${rejected},failed_calls=${failed}`,
    ]),
  );

const errorstats: Section = ({ stats: { errors } }) =>
  Object.fromEntries([...errors].map(([code, count]) => [`errorstat_${code}`, `count=${count}`]));

const latencystats: Section = ({ stats: { commands } }) =>
  Object.fromEntries(
    commands
      .filter(({ latency }) => latency.count > 0)
      .map(({ name, latency }) => [
        `latency_percentiles_usec_${name.toLowerCase()}`,
        [50, 99, 99.9].map((p) => `p${p}=${latency.percentile(p / 100).toFixed(3)}`).join(','),
      ]),
  );

/** Sections of INFO and their names; fields that have no meaning here are left out. */
export const infoSections: Readonly<Record<string, Section>> = {
  Server: server,
  Clients: clients,
  Memory: memory,
  Persistence: persistence,
  Stats: stats,
  Replication: replication,
  CPU: cpu,
  Commandstats: commandstats,
  Errorstats: errorstats,
  Latencystats: latencystats,
  Cluster: () => ({ cluster_enabled: 0 }),
  Keyspace: keyspace,
  Shards: shards,
};

/** Sections that INFO without arguments leaves out. */
export const extraSections: ReadonlySet<string> = new Set(['Commandstats', 'Latencystats']);
