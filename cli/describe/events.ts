import type { Cluster } from '../cluster.ts';

/** An event as kubectl prints it. */
interface KubeEvent {
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly count?: number;
  readonly lastTimestamp?: string | null;
  readonly eventTime?: string | null;
  readonly series?: { readonly count: number; readonly lastObservedTime: string };
  readonly metadata: { readonly creationTimestamp: string };
}

/** Something that happened to a resource. */
export interface Happened {
  /** When it happened last, ms since the epoch. */
  readonly at: number;
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly count: number;
}

/** Recorders of the old and of the new API write the time to different fields. */
const timeOf = ({ series, lastTimestamp, eventTime, metadata }: KubeEvent): number =>
  Date.parse(series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? metadata.creationTimestamp);

const happenedOf = (event: KubeEvent): Happened => {
  const { type = '', reason = '', message = '' } = event;
  return { at: timeOf(event), type, reason, message, count: event.series?.count ?? event.count ?? 1 };
};

/** Events about a resource, the latest last. @throws LocalError */
export const readEvents = async (
  cluster: Cluster,
  { namespace, kind, name }: { namespace: string; kind: string; name: string },
): Promise<Happened[]> => {
  const selector = `involvedObject.kind=${kind},involvedObject.name=${name}`;
  const text = await cluster.kubectl(['get', 'events', '-n', namespace, '--field-selector', selector, '-o', 'json']);
  const { items } = JSON.parse(text) as { items: readonly KubeEvent[] };
  return items.map(happenedOf).sort((a, b) => a.at - b.at);
};
