import { Registry } from 'prom-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../../../local/processes/until.ts';
import type { Pod } from '../../fabric/pod.ts';
import { exportMetrics } from '../gateway/metrics.ts';
import { startLocalDatabase, type LocalDatabase } from '../testing/local-database.ts';
import { plain, rawClient, type RawClient } from '../testing/raw-client.ts';

let database: LocalDatabase;
let client: RawClient;
const metrics = new Registry();

beforeAll(async () => {
  database = await startLocalDatabase({ starts: ['', 'm'] });
  const pod: Pick<Pod, 'metrics' | 'heartbeat'> = { metrics, heartbeat: () => () => {} };
  exportMetrics(pod, database.frontEnd, database.router);
  client = await rawClient(database.port);
});

afterAll(async () => {
  client.close();
  await database.stop();
});

const ask = async (line: string): Promise<unknown> => plain(await client.command(...line.split(' ')));

type Sections = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** As tools read it: `# Section`, then `field:value`. */
const info = async (...sections: string[]): Promise<Sections> => {
  const text = String(plain(await client.command('INFO', ...sections)));
  const parts = text.split(/^# /m).filter((part) => part !== '');
  return Object.fromEntries(
    parts.map((part) => {
      const [name = '', ...lines] = part.split('\r\n');
      const fields = lines.filter((line) => line !== '').map((line) => line.split(/:(.*)/s).slice(0, 2));
      return [name, Object.fromEntries(fields)];
    }),
  );
};

const sectionsByDefault = ['Server', 'Clients', 'Memory', 'Persistence', 'Stats', 'Replication', 'CPU', 'Errorstats'];
const allSections = [...sectionsByDefault, 'Commandstats', 'Latencystats', 'Cluster', 'Keyspace', 'Shards'];

test('INFO has the sections that Redis has, by default without those of commands', async () => {
  expect(Object.keys(await info()).sort()).toEqual([...sectionsByDefault, 'Cluster', 'Keyspace', 'Shards'].sort());
  for (const word of ['everything', 'ALL'])
    expect(Object.keys(await info(word)).sort()).toEqual(allSections.toSorted());
  expect(Object.keys(await info('Replication', 'keyspace'))).toEqual(['Replication', 'Keyspace']);
  expect(await ask('INFO nonsense')).toBe('');
});

test('fields that monitoring reads are there and are true', async () => {
  await ask('SET a 1 EX 1000');
  await ask('SET z 2');
  const watching = await rawClient(database.port);
  await watching.command('WATCH', 'a');
  const { Server, Clients, Stats, Replication } = await info();
  expect(Server).toMatchObject({
    redis_mode: 'standalone',
    tcp_port: String(database.port),
    run_id: expect.any(String),
  });
  expect(Server?.['run_id']).toHaveLength(40);
  expect(Clients).toMatchObject({ connected_clients: '2', watching_clients: '1', pubsub_clients: '0' });
  expect(Number(Stats?.['total_commands_processed'])).toBeGreaterThan(3);
  expect(Number(Stats?.['total_net_input_bytes'])).toBeGreaterThan(50);
  expect(Number(Stats?.['total_net_output_bytes'])).toBeGreaterThan(50);
  expect(Replication).toMatchObject({ role: 'master', connected_slaves: '0' });
  expect(Number(Replication?.['master_repl_offset'])).toBeGreaterThanOrEqual(2);
  watching.close();
});

test('keys are counted, over all shards and by shard, soon after they were written', async () => {
  await until({ what: 'both keys to be counted', timeoutMs: 10_000 }, async () =>
    (await info('keyspace')).Keyspace?.['db0'] === 'keys=2,expires=1,avg_ttl=0' ? true : undefined,
  );
  expect((await info('shards')).Shards?.['shard1']).toMatch(
    /^name=app-1,from=m,to=,epoch=0,primary=app-1-m0,term=1,sequence=\d+,keys=1,members=1,alive=1,lag=0$/,
  );
});

test('memory and CPU are those of this process, and persistence is what Redis calls always', async () => {
  const { Memory, Persistence, CPU } = await info('memory', 'persistence', 'cpu');
  for (const field of ['used_memory', 'used_memory_rss', 'used_memory_peak']) {
    expect(Number(Memory?.[field])).toBeGreaterThan(1024 * 1024);
  }
  expect(Memory?.['used_memory_human']).toMatch(/^[\d.]+[MG]$/);
  expect(Persistence).toMatchObject({ loading: '0', aof_enabled: '1', aof_last_write_status: 'ok' });
  expect(Number(CPU?.['used_cpu_user'])).toBeGreaterThan(0);
});

test('calls, refusals, failures and latencies are counted by command, until CONFIG RESETSTAT', async () => {
  expect(await ask('CONFIG RESETSTAT')).toBe('OK');
  for (let i = 0; i < 20; i++) await ask(`SET a ${i}`);
  expect(await ask('GET')).toMatch(/^-ERR wrong number/);
  expect(await ask('INCR q')).toBe(1);
  expect(await ask('HSET q f v')).toMatch(/^-WRONGTYPE/);
  expect(await ask('FLY')).toMatch(/^-ERR unknown command/);
  const { Commandstats, Errorstats, Stats } = await info('everything');
  expect(Commandstats?.['cmdstat_set']).toMatch(
    /^calls=20,usec=\d+,usec_per_call=[\d.]+,rejected_calls=0,failed_calls=0$/,
  );
  expect(Commandstats?.['cmdstat_get']).toBe('calls=0,usec=0,usec_per_call=0.00,rejected_calls=1,failed_calls=0');
  expect(Commandstats?.['cmdstat_hset']).toMatch(/^calls=1,.*failed_calls=1$/);
  expect(Object.keys(Commandstats ?? {})).not.toContain('cmdstat_fly');
  expect(Errorstats).toEqual({ errorstat_ERR: 'count=2', errorstat_WRONGTYPE: 'count=1' });
  expect(Stats?.['total_error_replies']).toBe('3');
  await ask('CONFIG RESETSTAT');
  expect(Object.keys((await info('commandstats')).Commandstats ?? {})).toEqual(['cmdstat_config']);
});

test('percentiles of each command rise', async () => {
  for (let i = 0; i < 20; i++) await ask(`SET a ${i}`);
  const { Latencystats } = await info('latencystats');
  const told = Latencystats?.['latency_percentiles_usec_set'] ?? '';
  expect(told).toMatch(/^p50=[\d.]+,p99=[\d.]+,p99.9=[\d.]+$/);
  const percentiles = told.split(',').map((each) => Number(each.split('=')[1]));
  expect(percentiles[0]).toBeGreaterThan(0);
  expect(percentiles.toSorted((a, b) => a - b)).toEqual(percentiles);
});

test('LATENCY HISTOGRAM counts every call once, and answers only what is asked for', async () => {
  await ask('CONFIG RESETSTAT');
  for (let i = 0; i < 10; i++) await ask('GET a');
  await ask('SET a 1');
  expect(await ask('LATENCY HISTOGRAM get fly')).toEqual(['get', ['calls', 10, 'histogram_usec', expect.any(Array)]]);
  const buckets = ((await ask('LATENCY HISTOGRAM GET')) as [string, [string, number, string, number[]]])[1][3];
  expect(buckets.at(-1)).toBe(10);
  const names = (await ask('LATENCY HISTOGRAM')) as unknown[];
  expect(names.filter((each) => typeof each === 'string')).toEqual(['config', 'get', 'latency', 'set']);
  expect(await ask('LATENCY LATEST')).toEqual([]);
  expect(await ask('LATENCY DOCTOR')).toMatch(/LATENCY HISTOGRAM/);
  expect(await ask('LATENCY GRAPH x')).toMatch(/^-ERR unknown subcommand 'GRAPH'/);
});

test('/metrics has a histogram for each command that was called, and no other label', async () => {
  await ask('CONFIG RESETSTAT');
  for (let i = 0; i < 5; i++) await ask('GET a');
  for (const name of ['FLY', 'A"B', 'x\n']) await client.command(name);
  const text = await metrics.metrics();
  const lines = text.split('\n').filter((line) => line.startsWith('quartet_db_command_seconds'));
  expect(lines).toContain('quartet_db_command_seconds_bucket{command="get",le="+Inf"} 5');
  expect(lines).toContain('quartet_db_command_seconds_count{command="get"} 5');
  expect(new Set(lines.map((line) => /command="([^"]*)"/.exec(line)?.[1]))).toEqual(new Set(['get', 'config']));
  expect(text).toContain('# TYPE quartet_db_command_seconds histogram');
});
