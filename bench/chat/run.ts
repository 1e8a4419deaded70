// Deliveries per CPU second to 1,000 connections, beside a plain `ws` broadcast in the same run; prints Markdown rows.
//   node bench/chat/run.ts [seconds of each phase] [connections]
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startNats } from '../../local/nats-server.ts';
import { cpuSeconds } from '../figures.ts';
import type { CrowdOrder, Phase, PhaseResult } from './crowd.ts';

const seconds = Number(process.argv[2] ?? 6);
const connections = Number(process.argv[3] ?? 1_000);
const senders = 32;
const contentBytes = 200;
/** Messages per second of the latency phase. */
const steadyRate = 20;

interface Row {
  readonly name: string;
  readonly perCpuSecond: number;
  readonly perSecond: number;
  readonly flood: PhaseResult;
  readonly steady: PhaseResult;
  readonly natsCpu: number;
}

const script = (name: string, args: string[] = []): ChildProcess => fork(join(import.meta.dirname, name), args);
const answer = async <T>(child: ChildProcess): Promise<T> => ((await once(child, 'message')) as [T])[0];

const ask = <T>(child: ChildProcess, message: { open: CrowdOrder } | { run: Phase }): Promise<T> => {
  child.send(message);
  return answer<T>(child);
};

const end = async (child: ChildProcess): Promise<void> => {
  child.kill('SIGKILL');
  await once(child, 'exit');
};

const measure = async (name: string, kind: CrowdOrder['kind'], server: ChildProcess, natsPid: number): Promise<Row> => {
  console.error(`measuring: ${name}`);
  const { port } = await answer<{ port: number }>(server);
  const crowd = script('crowd.ts');
  await ask(crowd, { open: { kind, port, listeners: connections, senders, contentBytes } });
  await ask(crowd, { run: { seconds: 1, perSecond: null } });
  const pid = server.pid ?? 0;
  const [before, natsBefore] = [cpuSeconds(pid), natsPid === 0 ? 0 : cpuSeconds(natsPid)];
  const flood = await ask<PhaseResult>(crowd, { run: { seconds, perSecond: null } });
  const cpu = cpuSeconds(pid) - before;
  const natsCpu = natsPid === 0 ? 0 : cpuSeconds(natsPid) - natsBefore;
  const steady = await ask<PhaseResult>(crowd, { run: { seconds, perSecond: steadyRate } });
  await end(crowd);
  await end(server);
  const expected = flood.sent * connections;
  // senders of the plain server are connections too, and get every message
  const deliveries = kind === 'plain' ? expected + flood.sent * senders : expected;
  if (flood.deliveries < expected) console.log(`${name}: only ${flood.deliveries} of ${expected} deliveries arrived`);
  return { name, perCpuSecond: deliveries / cpu, perSecond: flood.deliveries / flood.seconds, flood, steady, natsCpu };
};

const dir = await mkdtemp(join(tmpdir(), 'quartet-bench-chat-'));
const nats = await startNats({ dir });
const natsPid = nats.servers[0]?.pid ?? 0;
const rows: Row[] = [await measure('plain ws, stringify once', 'plain', script('plain-server.ts'), 0)];
for (const window of [0, 10, 20]) {
  const name = window === 0 ? 'quartet, no batching' : `quartet, ${window} ms window`;
  rows.push(await measure(name, 'quartet', script('gateway-server.ts', [nats.url, String(window)]), natsPid));
}
await nats.stop();
await rm(dir, { recursive: true, force: true });

const thousands = (value: number): string => `${Math.round(value / 1000).toLocaleString('en')} k`;
const ms = (value: number): string => `${value.toFixed(1)} ms`;
const peer = rows[0]?.perCpuSecond ?? NaN;
console.log(
  `| ${connections} connections, ${contentBytes} B content | deliveries per CPU second | ratio | deliveries per second | messages per second | p50 / p99 at ${steadyRate} msg/s | CPU of NATS |`,
);
console.log('|---|---|---|---|---|---|---|');
for (const { name, perCpuSecond, perSecond, flood, steady, natsCpu } of rows) {
  const rate = Math.round(flood.sent / flood.seconds);
  const nats = natsCpu === 0 ? '' : `${natsCpu.toFixed(1)} s`;
  console.log(
    `| ${name} | ${thousands(perCpuSecond)} | ${(perCpuSecond / peer).toFixed(2)} x | ${thousands(perSecond)} | ${rate} | ${ms(steady.p50)} / ${ms(steady.p99)} | ${nats} |`,
  );
}
process.exit(0);
