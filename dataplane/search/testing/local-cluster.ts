import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { Registry } from 'prom-client';
import type { SearchShardEntry } from '../../../contract/directory.ts';
import { memoryReplica, type MemoryReplica } from '../../replica/testing/memory-replica.ts';
import { application } from '../gateway/application.ts';
import { Gateway } from '../gateway/gateway.ts';
import type { Answer, MemberAccess } from '../gateway/member-client.ts';
import { SearchMachine } from '../machine.ts';
import { MemberService } from '../member/member-service.ts';
import type { MemberReply, MemberRequest } from '../member/protocol.ts';

interface LocalMember {
  readonly machine: SearchMachine;
  readonly replica: MemoryReplica;
  readonly service: MemberService;
  alive: boolean;
}

/** Whole search service in this process, without NATS and log: each shard has one member, on a replica in memory. */
export class LocalCluster implements MemberAccess {
  readonly #dir: string;
  readonly #members = new Map<string, LocalMember>();
  readonly #entries = new Map<string, SearchShardEntry>();
  #server: Server | null = null;
  url = '';

  private constructor(dir: string) {
    this.#dir = dir;
  }

  /** `indexes`: number of shards by name. */
  static async start(indexes: Readonly<Record<string, number>>): Promise<LocalCluster> {
    const cluster = new LocalCluster(await mkdtemp(join(tmpdir(), 'quartet-search-')));
    for (const [index, shards] of Object.entries(indexes)) {
      for (let ordinal = 0; ordinal < shards; ordinal++) await cluster.#addShard(index, ordinal, shards);
    }
    const directory = { entries: cluster.#entries, onChange: () => () => {} };
    const pod = {
      env: { QUARTET_POD: 'gateway', QUARTET_NAMESPACE: 'test' },
      log: pino({ level: process.env['QUARTET_TEST_LOG'] ?? 'fatal' }),
      metrics: new Registry(),
    };
    const server = createServer(application(pod, new Gateway(directory, cluster)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    cluster.#server = server;
    cluster.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return cluster;
  }

  async #addShard(index: string, ordinal: number, of: number): Promise<void> {
    const name = `${index}-${ordinal}`;
    const pod = `${name}-0`;
    const machine = await SearchMachine.open(join(this.#dir, name));
    let replica: MemoryReplica | null = null;
    const service = new MemberService(machine, () => replica as MemoryReplica);
    replica = memoryReplica(machine);
    this.#members.set(pod, { machine, replica, service, alive: true });
    this.#entries.set(name, {
      kind: 'search',
      namespace: 'test',
      name,
      index,
      ordinal,
      of,
      analyzer: 'english',
      conflict: null,
      primary: pod,
      term: 1,
      log: null,
      members: [{ pod, node: 'node', zone: '' }],
    });
  }

  member(shard: string): LocalMember {
    const member = this.#members.get(`${shard}-0`);
    if (member === undefined) throw new Error(`no shard ${shard}`);
    return member;
  }

  async ask<T>(_shard: SearchShardEntry, pod: string, request: MemberRequest): Promise<Answer<T>> {
    const member = this.#members.get(pod);
    if (member?.alive !== true) {
      return {
        ok: false,
        code: 'no-answer',
        errorType: 'node_disconnected_exception',
        reason: `[${pod}] is dead`,
        unsent: true,
      };
    }
    return JSON.parse(await member.service.handle(JSON.stringify(request))) as MemberReply<T>;
  }

  primaryOf({ primary }: SearchShardEntry): string | null {
    return primary;
  }

  searchOrder({ members }: SearchShardEntry): string[] {
    return members.map(({ pod }) => pod);
  }

  alive(pod: string): boolean {
    return this.#members.get(pod)?.alive === true;
  }

  report(pod: string): { state: string; applied: number; figures: Record<string, number> } | undefined {
    const member = this.#members.get(pod);
    return member && { state: 'primary', applied: member.replica.applied, figures: member.machine.figures() };
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    this.#server?.close();
    for (const { machine } of this.#members.values()) await machine.close();
    await rm(this.#dir, { recursive: true, force: true });
  }
}
