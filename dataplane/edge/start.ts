import { Gauge } from 'prom-client';
import type { EdgeNodeEntry } from '../../contract/directory.ts';
import { servicePorts } from '../../contract/pod-env.ts';
import { type Directory, watchDirectory } from '../fabric/directory.ts';
import type { Pod } from '../fabric/pod.ts';
import { answerPurges } from './purge/answer-purges.ts';
import { Edge } from './serve/edge.ts';
import { defaultErrorGraceSeconds, type EdgeConfig } from './serve/edge-config.ts';
import { closeServer, createHttpServer, defaultServerLimits, listen } from './serve/http-server.ts';

const configOf = (entry: EdgeNodeEntry, pod: Pod): EdgeConfig => ({
  name: entry.name,
  id: `${entry.name}/${pod.env.QUARTET_POD}`,
  memoryBytes: entry.cache.memoryBytes,
  defaultTtl: entry.cache.defaultTtl,
  policies: entry.cache.policies,
  origins: entry.origins,
  errorGraceSeconds: defaultErrorGraceSeconds,
});

/** Waits until the operator has published the EdgeNode. */
async function firstEntry(directory: Directory<'edge'>, name: string): Promise<EdgeNodeEntry> {
  const ready = Promise.withResolvers<EdgeNodeEntry>();
  const look = (): void => {
    const entry = directory.entries.get(name);
    if (entry !== undefined) ready.resolve(entry);
  };
  const stop = directory.onChange(look);
  look();
  return ready.promise.finally(stop);
}

function registerMetrics(pod: Pod, edge: Edge): void {
  const gauges: readonly (readonly [string, string, () => number])[] = [
    ['quartet_edge_requests_total', 'Requests answered.', () => edge.meter.totals.requests],
    ['quartet_edge_hits_total', 'Requests that the cache answered.', () => edge.meter.totals.hits],
    ['quartet_edge_stored_bytes', 'Bytes of stored responses, metadata included.', () => edge.storedBytes],
    ['quartet_edge_stored_responses', 'Stored responses.', () => edge.objects],
  ];
  for (const [name, help, value] of gauges) {
    const gauge: Gauge = new Gauge({ name, help, registers: [pod.metrics], collect: () => gauge.set(value()) });
  }
}

/** Starts an edge: the replica of an EdgeNode that serves its content. */
export async function start(pod: Pod): Promise<void> {
  const name = pod.env.QUARTET_RESOURCE;
  if (name === undefined) throw new Error('an edge needs QUARTET_RESOURCE, the name of its EdgeNode');
  const directory = await watchDirectory(pod, 'edge');
  pod.health.set('edge', false, `waiting for EdgeNode ${name} in the directory`);
  const entry = await firstEntry(directory, name);
  const edge = new Edge(configOf(entry, pod));
  pod.onShutdown('origin connections', () => edge.close());
  const stopFollowing = directory.onChange(() => {
    const changed = directory.entries.get(name);
    if (changed !== undefined) edge.reconfigure(configOf(changed, pod));
  });
  pod.onShutdown('configuration', async () => void stopFollowing());

  const limits = { ...defaultServerLimits, connections: entry.capacity.connections };
  const server = createHttpServer((message, response) => edge.handle(message, response), limits);
  let connections = 0;
  server.on('connection', (socket) => {
    connections++;
    socket.once('close', () => connections--);
  });
  const port = await listen(server, pod.env.QUARTET_POD_IP, pod.env.QUARTET_PORT ?? servicePorts.edge);
  pod.onShutdown('requests', () => closeServer(server, 4_000));

  answerPurges(pod, edge, name);
  registerMetrics(pod, edge);
  pod.heartbeat(() => ({
    edge: { ...edge.meter.figures(Date.now()), connections, storedBytes: edge.storedBytes },
  }));
  pod.onControl(async (request) =>
    request.type === 'drain'
      ? { ok: true, term: 0, applied: 0 }
      : { ok: false, code: 'unsupported', message: `an edge does not know ${request.type}` },
  );
  pod.health.set('edge', true);
  pod.log.info({ port, edge: name }, 'edge listens');
}
