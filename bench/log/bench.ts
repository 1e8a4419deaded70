import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { pino } from 'pino';
import { logStreamConfig } from '../../contract/streams.ts';
import { liveSubject, logSubject } from '../../contract/subjects.ts';
import { systemClock } from '../../dataplane/log/clock.ts';
import { JetStreamLog } from '../../dataplane/log/jetstream-log.ts';
import { Member } from '../../dataplane/replica/member.ts';
import type { Position, StateMachine } from '../../dataplane/replica/state-machine.ts';
import { startNats } from '../../local/nats-server.ts';

// Durable proposals a second through one primary: `node bench/log/bench.ts [--servers 3] [--seconds 5] [--size 100]`.
// Each of the concurrent callers proposes the next operation when the last one is acknowledged.

const { values } = parseArgs({
  options: {
    servers: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '5' },
    size: { type: 'string', default: '100' },
    concurrency: { type: 'string', default: '1,64,512' },
  },
});

/** A machine that only remembers where it is: the figures are those of the log and the replica core. */
class NullMachine implements StateMachine {
  #position: Position | null = null;
  position = () => this.#position;
  async apply(_entries: readonly unknown[], position: Position): Promise<void> {
    this.#position = position;
  }
  snapshot = () => Promise.reject(new Error('no snapshots here'));
  restore = () => Promise.reject(new Error('no snapshots here'));
  lead(): void {}
  follow(): void {}
  figures = () => ({});
}

async function startMember(nats: NatsConnection, replicas: number, name: string): Promise<Member> {
  const set = { kind: 'db', namespace: 'bench', name } as const;
  const manager = await jetstreamManager(nats, { checkAPI: false });
  const config = logStreamConfig(set, replicas) as unknown as Parameters<typeof manager.streams.add>[0];
  const { created } = await manager.streams.add(config);
  const log = new JetStreamLog({
    nats,
    stream: config.name,
    subject: logSubject(set),
    liveSubject: liveSubject(set),
  });
  const member = new Member({
    writer: 'bench/1',
    log,
    machine: new NullMachine(),
    clock: systemClock,
    logger: pino({ level: 'silent' }),
    snapshots: { peers: () => [], open: () => Promise.reject(new Error('none')) },
    expectedLog: () => String(created),
    onChange: () => {},
  });
  member.start();
  while (member.state !== 'following') await systemClock.sleep(10);
  const reply = await member.promote(1);
  if (!reply.ok) throw new Error(reply.message);
  return member;
}

async function measure(member: Member, concurrency: number, seconds: number): Promise<void> {
  const operation = new Uint8Array(Number(values.size)).fill(7);
  const latencies: number[] = [];
  const warm = performance.now() + 1000;
  const end = warm + seconds * 1000;
  const entries = member.applied;
  const cpu = process.cpuUsage();
  const caller = async (): Promise<void> => {
    for (let from = performance.now(); from < end;) {
      await member.propose(operation);
      const now = performance.now();
      if (from >= warm) latencies.push(now - from);
      from = now;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, caller));
  const { user, system } = process.cpuUsage(cpu);
  latencies.sort((a, b) => a - b);
  const at = (share: number): string => (latencies[Math.floor(latencies.length * share)] ?? 0).toFixed(2);
  console.log(
    `${String(concurrency).padStart(5)} callers: ${Math.round(latencies.length / seconds)
      .toString()
      .padStart(7)} proposals/s   p50 ${at(0.5)} ms   p99 ${at(0.99)} ms   ` +
      `${((latencies.length + 1) / (member.applied - entries)).toFixed(1)} an entry   ` +
      `${Math.round((user + system) / 10_000 / (seconds + 1))} % of a core`,
  );
}

const servers = values.servers === '3' ? 3 : 1;
const dir = await mkdtemp(join(tmpdir(), 'quartet-bench-log-'));
const server = await startNats({ dir, servers });
try {
  await server.ready();
  const nats = await connect({ servers: server.url.split(',') });
  const member = await startMember(nats, servers, 'log');
  console.log(`operations of ${values.size} bytes, ${servers} nats-server, sync always`);
  for (const concurrency of values.concurrency.split(',')) {
    await measure(member, Number(concurrency), Number(values.seconds));
  }
  await member.stop();
  await nats.close();
} finally {
  await server.stop();
  await rm(dir, { recursive: true, force: true });
}
