import { replicatedKinds, type ReplicatedKind } from '../contract/names.ts';
import type { Heartbeats, Told } from './heartbeats.ts';
import type { Logs, LogSize } from './logs.ts';

/** What the operator hears of a replica set. Status is written only when something changes; this is of now. */
export interface Live {
  readonly members: readonly Told[];
  readonly log: LogSize | null;
}

const isReplicated = (kind: string | undefined): kind is ReplicatedKind => replicatedKinds.some((one) => one === kind);

/**
 * `/live/db/<namespace>/<name>` and `/live/search/…`, see {@link Live}, on the server for probes and metrics. Every operator
 * hears heartbeats, also one that does not lead.
 */
export const livePage =
  ({ heartbeats, logs }: { readonly heartbeats: Pick<Heartbeats, 'told'>; readonly logs: Pick<Logs, 'size'> }) =>
  (path: string): Live | undefined => {
    const [, page, kind, namespace, name, more] = path.split('/');
    if (page !== 'live' || !isReplicated(kind) || !namespace || !name || more !== undefined) return undefined;
    return { members: heartbeats.told(namespace, kind, name), log: logs.size({ kind, namespace, name }) };
  };
