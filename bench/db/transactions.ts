/**
 * Durable transactions per second of one shard with three members and three nats-servers, beside etcd with three members on
 * the same disk: MULTI, two SETs and EXEC sent at once, and etcd's compare and two puts. Needs go on PATH.
 *
 *     node bench/db/transactions.ts [--clients 1,16,64,512] [--seconds 5]
 *
 * Prints rows of a Markdown table. The load on Quartet comes from this process, which shares the cores.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startDbCluster } from '../../dataplane/db/testing/cluster.ts';
import { encodeCommand } from '../../dataplane/db/resp/frame.ts';
import { rawClient, type RawClient } from '../../dataplane/db/testing/raw-client.ts';
import { percentile } from '../figures.ts';
import { startEtcd, type EtcdResult } from './etcd.ts';

const { values: options } = parseArgs({
  options: { clients: { type: 'string', default: '1,16,64,512' }, seconds: { type: 'string', default: '5' } },
});
const seconds = Number(options.seconds);
const value = 'x'.repeat(100);

const transaction = (client: number, number: number): Buffer =>
  Buffer.concat([
    encodeCommand(['MULTI']),
    encodeCommand(['SET', `key:${client}:${number % 1_000}`, value]),
    encodeCommand(['SET', `last:${client}`, String(number)]),
    encodeCommand(['EXEC']),
  ]);

/** Each client sends the next transaction when the last one was answered. */
const measure = async (port: number, clients: number): Promise<EtcdResult> => {
  const connections = await Promise.all(Array.from({ length: clients }, () => rawClient(port)));
  const took: number[] = [];
  const began = performance.now();
  const end = began + seconds * 1_000;
  const run = async (connection: RawClient, index: number): Promise<void> => {
    for (let number = 0; performance.now() < end; number++) {
      const sent = performance.now();
      connection.write(transaction(index, number));
      const answer = (await connection.many(4)).at(-1);
      if (!Array.isArray(answer) || answer.length !== 2) throw new Error(`EXEC answers ${String(answer)}`);
      took.push(performance.now() - sent);
    }
  };
  await Promise.all(connections.map(run));
  const rps = (took.length * 1_000) / (performance.now() - began);
  for (const connection of connections) connection.close();
  took.sort((a, b) => a - b);
  return { rps, p50: percentile(took, 0.5), p99: percentile(took, 0.99) };
};

const dir = mkdtempSync(join(tmpdir(), 'quartet-bench-db-'));
const cluster = await startDbCluster({ dir, members: 3, natsServers: 3 });
const etcd = await startEtcd(dir);
const cell = ({ rps, p50, p99 }: EtcdResult): string => `${Math.round(rps)}, ${p50.toFixed(1)} / ${p99.toFixed(1)}`;
console.log('| clients | Quartet /s, p50 / p99 ms | etcd /s, p50 / p99 ms | ratio |\n|---|---|---|---|');
for (const clients of options.clients.split(',').map(Number)) {
  const ours = await measure(cluster.port, clients);
  const theirs = await etcd.measure('transaction', clients, seconds);
  console.log(`| ${clients} | ${cell(ours)} | ${cell(theirs)} | ${(ours.rps / theirs.rps).toFixed(2)} x |`);
}
await etcd.stop();
await cluster.stop();
rmSync(dir, { recursive: true, force: true });
