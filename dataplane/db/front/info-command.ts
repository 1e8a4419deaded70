import { noKeys } from '../commands/command.ts';
import { followedRedisVersion } from './server-facts.ts';
import type { Server, Session, SessionCommand } from './session.ts';

type Section = (server: Server, session: Session) => Readonly<Record<string, string | number>>;

/** Sections and fields that tools for Redis read; what has no meaning here is left out. */
const sections: Readonly<Record<string, Section>> = {
  Server: ({ facts }) => ({
    redis_version: followedRedisVersion,
    redis_mode: 'standalone',
    server_name: 'quartet',
    os: `${process.platform} ${process.arch}`,
    process_id: process.pid,
    run_id: facts.incarnation.replaceAll('-', '').padEnd(40, '0').slice(0, 40),
    tcp_port: facts.port,
    uptime_in_seconds: Math.floor((Date.now() - facts.startedAt) / 1000),
    uptime_in_days: Math.floor((Date.now() - facts.startedAt) / 86_400_000),
    quartet_pod: facts.pod,
    quartet_node: facts.node,
  }),
  Clients: (server) => ({ connected_clients: [...server.sessions()].length, maxclients: server.facts.maxClients }),
  Memory: () => ({ used_memory: process.memoryUsage.rss(), maxmemory: 0, maxmemory_policy: 'noeviction' }),
  Persistence: () => ({ loading: 0, aof_enabled: 1, aof_last_write_status: 'ok' }),
  Stats: ({ facts, router }) => ({
    total_connections_received: facts.connectionsReceived,
    rejected_connections: facts.connectionsRejected,
    total_commands_processed: facts.commandsProcessed,
    quartet_pending_requests: router.pending,
  }),
  Replication: () => ({ role: 'master', connected_slaves: 0 }),
  CPU: () => {
    const { user, system } = process.cpuUsage();
    return { used_cpu_user: user / 1e6, used_cpu_sys: system / 1e6 };
  },
  Cluster: () => ({ cluster_enabled: 0 }),
  Keyspace: ({ router }, session): Record<string, string> => {
    const database = session.database ?? router.defaultDatabase;
    const keys = database === null ? 0 : router.keysOf(database);
    return keys === 0 ? {} : { db0: `keys=${keys},expires=0,avg_ttl=0` };
  },
};

const everything = new Set(['all', 'default', 'everything']);

export const infoCommand: SessionCommand = {
  kind: 'session',
  name: 'INFO',
  arity: -1,
  flags: ['loading', 'stale'],
  keys: noKeys,
  group: 'server',
  summary: 'Tells about this server and the database.',
  inTransaction: 'refuse',
  run({ session }, frame, reply, server) {
    const wanted = Array.from({ length: frame.count - 1 }, (_, i) => frame.text(i + 1).toLowerCase());
    const all = wanted.length === 0 || wanted.some((name) => everything.has(name));
    const chosen = Object.entries(sections).filter(([name]) => all || wanted.includes(name.toLowerCase()));
    const texts = chosen.map(([name, section]) => {
      const fields = Object.entries(section(server, session)).map(([field, value]) => `${field}:${value}\r\n`);
      return `# ${name}\r\n${fields.join('')}`;
    });
    reply.bulk(texts.join('\r\n'));
  },
};
