import type { Request, Response, Router } from 'express';
import type { GatewayPod } from '../application.ts';
import { SearchError } from '../../search-error.ts';
import type { Gateway } from '../gateway.ts';
import { handler } from '../handler.ts';
import { copiesOf, healthOf, type ShardCopy, worst } from '../health-report.ts';
import type { IndexRoute } from '../index-map.ts';
import { flag, parameter, pathPart } from '../request-body.ts';

type Row = Readonly<Record<string, string>>;

/** `_cat` answers: columns of text, or JSON with `format=json`; `v` shows the header, `h` chooses columns. */
function sendTable(request: Request, response: Response, all: readonly Row[], columns: readonly string[]): void {
  const shown =
    parameter(request, 'h')
      ?.split(',')
      .filter((column) => columns.includes(column)) ?? columns;
  if (parameter(request, 'format') === 'json') {
    response.json(all.map((row) => Object.fromEntries(shown.map((column) => [column, row[column] ?? '']))));
    return;
  }
  const header = flag(request, 'v') ? [Object.fromEntries(shown.map((column) => [column, column]))] : [];
  const rows: Row[] = [...header, ...all];
  const widths = shown.map((column) => Math.max(0, ...rows.map((row) => (row[column] ?? '').length)));
  const lines = rows.map((row) =>
    shown
      .map((column, i) => (row[column] ?? '').padEnd(widths[i] ?? 0))
      .join(' ')
      .trimEnd(),
  );
  response.type('text/plain').send(lines.length === 0 ? '' : `${lines.join('\n')}\n`);
}

function sizeText(bytes: number): string {
  const units = ['b', 'kb', 'mb', 'gb', 'tb'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)}${units[unit]}`;
}

async function indexRow(gateway: Gateway, route: IndexRoute): Promise<Row | null> {
  try {
    const overview = await gateway.admin.describe(route);
    const replicas = Math.max(0, Math.max(...route.shards.map((shard) => shard?.members.length ?? 0)) - 1);
    return {
      health: healthOf(route, gateway.client),
      status: 'open',
      index: route.index,
      uuid: overview.uuid,
      pri: String(route.of),
      rep: String(replicas),
      'docs.count': String(overview.documents),
      'docs.deleted': String(overview.deleted),
      'store.size': sizeText(overview.bytes * (replicas + 1)),
      'pri.store.size': sizeText(overview.bytes),
    };
  } catch (error) {
    if (error instanceof SearchError && error.code === 'index-missing') return null;
    if (!(error instanceof SearchError)) throw error;
    return { health: 'red', status: 'open', index: route.index, pri: String(route.of) };
  }
}

const indexColumns = [
  'health',
  'status',
  'index',
  'uuid',
  'pri',
  'rep',
  'docs.count',
  'docs.deleted',
  'store.size',
  'pri.store.size',
];
const shardColumns = ['index', 'shard', 'prirep', 'state', 'docs', 'store', 'ip', 'node'];
const healthColumns = [
  'epoch',
  'timestamp',
  'cluster',
  'status',
  'node.total',
  'node.data',
  'shards',
  'pri',
  'unassign',
];

const shardRow = (copy: ShardCopy): Row => ({
  index: copy.index,
  shard: String(copy.ordinal),
  prirep: copy.primary ? 'p' : 'r',
  state: copy.state,
  docs: String(copy.documents),
  store: sizeText(copy.bytes),
  ip: '',
  node: copy.pod,
});

function wanted(gateway: Gateway, request: Request): IndexRoute[] {
  const index = pathPart(request, 'index');
  return index === '' ? [...gateway.routes.values()] : [gateway.route(index)];
}

function clusterHealth(gateway: Gateway, cluster: string, routes: readonly IndexRoute[]): Record<string, unknown> {
  const copies = routes.flatMap((route) => copiesOf(route, gateway.client));
  const count = (test: (copy: ShardCopy) => boolean): number => copies.filter(test).length;
  return {
    cluster_name: cluster,
    status: worst(routes.map((route) => healthOf(route, gateway.client))),
    timed_out: false,
    number_of_nodes: new Set(copies.map(({ pod }) => pod)).size,
    number_of_data_nodes: new Set(copies.map(({ pod }) => pod)).size,
    discovered_master: true,
    discovered_cluster_manager: true,
    active_primary_shards: count(({ primary, state }) => primary && state === 'STARTED'),
    active_shards: count(({ state }) => state === 'STARTED'),
    relocating_shards: 0,
    initializing_shards: count(({ state }) => state === 'INITIALIZING'),
    unassigned_shards: count(({ state }) => state === 'UNASSIGNED'),
    delayed_unassigned_shards: 0,
    number_of_pending_tasks: 0,
    number_of_in_flight_fetch: 0,
    task_max_waiting_in_queue_millis: 0,
    active_shards_percent_as_number:
      copies.length === 0 ? 100 : (100 * count(({ state }) => state === 'STARTED')) / copies.length,
  };
}

/** How the cluster is: `_cat` and `_cluster/health`. */
export function clusterRoutes(router: Router, gateway: Gateway, pod: GatewayPod): void {
  const cluster = `quartet-${pod.env.QUARTET_NAMESPACE}`;
  router.get(
    ['/_cat/indices', '/_cat/indices/:index'],
    handler(async (request, response) => {
      const rows = await Promise.all(wanted(gateway, request).map((route) => indexRow(gateway, route)));
      sendTable(
        request,
        response,
        rows.filter((row) => row !== null),
        indexColumns,
      );
    }),
  );
  router.get(['/_cat/shards', '/_cat/shards/:index'], (request, response) => {
    const rows = wanted(gateway, request).flatMap((route) => copiesOf(route, gateway.client).map(shardRow));
    sendTable(request, response, rows, shardColumns);
  });
  router.get('/_cat/health', (request, response) => {
    const health = clusterHealth(gateway, cluster, [...gateway.routes.values()]);
    const now = new Date();
    const row: Row = {
      epoch: String(Math.floor(now.getTime() / 1000)),
      timestamp: now.toISOString().slice(11, 19),
      cluster,
      status: String(health['status']),
      'node.total': String(health['number_of_nodes']),
      'node.data': String(health['number_of_data_nodes']),
      shards: String(health['active_shards']),
      pri: String(health['active_primary_shards']),
      unassign: String(health['unassigned_shards']),
    };
    sendTable(request, response, [row], healthColumns);
  });
  router.get(['/_cluster/health', '/_cluster/health/:index'], (request, response) => {
    response.json(clusterHealth(gateway, cluster, wanted(gateway, request)));
  });
}
