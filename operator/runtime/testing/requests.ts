import type { Registry } from 'prom-client';

/** Requests of a client that change something, leases and Events not counted, by its own metrics. */
export async function countWrites(metrics: Registry): Promise<number> {
  const counter = await metrics.getSingleMetric('rest_client_requests_total')?.get();
  return (counter?.values ?? [])
    .filter(({ labels }) => labels['method'] !== 'GET' && !/^(leases|events)\./.test(String(labels['resource'])))
    .reduce((sum, { value }) => sum + value, 0);
}
