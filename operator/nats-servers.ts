import { serverProblem, type ServerFacts } from './nats-fitness.ts';

/**
 * Whether an acknowledged message is on disk.
 * - unasked: it is being found out
 * - unverified: nobody can say; `problem` says what to do
 * - lax: a server writes to disk now and then; `problem` says which, and what to do
 */
export type Durability =
  | { readonly state: 'unasked' | 'always' }
  | { readonly state: 'unverified'; readonly reason: 'MonitorsUnknown' | 'MonitorSilent'; readonly problem: string }
  | { readonly state: 'lax'; readonly problem: string };

/** What a server's monitor says of it. */
export interface ServerReport extends ServerFacts {
  /** `sync_interval: always`: written to disk before it is acknowledged. */
  readonly syncAlways: boolean;
  /** Time between two writes to disk otherwise, ns. */
  readonly syncInterval: number;
}

/** A server as its monitor showed it last. */
export interface WatchedServer {
  /** Of the monitor: http://host:8222. */
  readonly url: string;
  /** The last answer; null when there was none yet. */
  readonly report: ServerReport | null;
  /** Questions in a row that were not answered. */
  readonly misses: number;
}

/** What the monitors of all servers say together. */
export interface ServersView {
  readonly durability: Durability;
  /** A server that lacks what Quartet needs, and what to do; null when none does. */
  readonly unfit: string | null;
}

/** A server that restarts misses a question or two. */
const silentAfterMisses = 3;

const hostOf = ({ url }: WatchedServer): string => new URL(url).host;

const laxProblem = (servers: readonly WatchedServer[]): string | null => {
  const lax = servers.find(({ report }) => report?.syncAlways === false);
  if (!lax?.report) return null;
  const seconds = Math.round(lax.report.syncInterval / 1e9);
  return `nats-server at ${hostOf(lax)} writes to disk every ${seconds} s only: a power cut can lose acknowledged writes; set "sync_interval: always" in its jetstream block`;
};

const durabilityOf = (servers: readonly WatchedServer[]): Durability => {
  if (servers.length === 0) {
    const problem =
      'whether NATS writes to disk before it acknowledges is not known: list the monitors of all servers in nats.external.monitors';
    return { state: 'unverified', reason: 'MonitorsUnknown', problem };
  }
  const lax = laxProblem(servers);
  if (lax !== null) return { state: 'lax', problem: lax };
  const silent = servers.find(({ misses }) => misses >= silentAfterMisses);
  if (silent) {
    const problem = `the monitor ${silent.url} does not answer, so nobody knows whether its nats-server writes to disk before it acknowledges: start the server, set its option http, and let the operator reach that port`;
    return { state: 'unverified', reason: 'MonitorSilent', problem };
  }
  return servers.every(({ report }) => report !== null) ? { state: 'always' } : { state: 'unasked' };
};

const unfitOf = (servers: readonly WatchedServer[]): string | null => {
  for (const server of servers) {
    const problem = server.report && serverProblem(server.report);
    if (problem) return `nats-server at ${hostOf(server)}: ${problem}`;
  }
  return null;
};

/** Judges what all servers said. What a server said last counts while it is silent. */
export const judgeServers = (servers: readonly WatchedServer[]): ServersView => ({
  durability: durabilityOf(servers),
  unfit: unfitOf(servers),
});
