import type { Msg, NatsConnection } from '@nats-io/nats-core';
import type { ReplicatedKind } from '../contract/names.ts';
import { allChatReports, allHeartbeats, controlSubject } from '../contract/subjects.ts';
import type { ChatReports } from './chat-room/reports.ts';
import type { Controllers } from './controllers.ts';
import type { HeartbeatNews, PodAddress } from './heartbeats.ts';
import type { NatsState } from './nats-link.ts';
import type { Operation } from './operation.ts';
import type { Controller } from './runtime/controller.ts';
import { keyOf, type KubeObject } from './runtime/object.ts';
import { ThrottledWake } from './throttle.ts';

/** Who leads and who is silent goes before all else. */
const urgent = { priority: 10 } as const;
const tickMs = 100;
const figuresIntervalMs = 10_000;
const relistMs = 30_000;
/** A moment more than the time for which resources do not mention that NATS is away. */
const awayNoticeMs = 3_200;
/** A moment more than the time after which a node that came back gets replicas. */
const steadyNoticeMs = 10_500;

/** What reaches the operator besides Kubernetes: heartbeats, reports, JetStream's advisories, nodes. It wakes what is concerned. */
export class Senses {
  readonly #operation: Operation;
  readonly #controllers: Controllers;
  readonly #reports: ChatReports;
  readonly #figures: Readonly<Record<keyof Controllers, ThrottledWake>>;
  readonly #timers = new Set<NodeJS.Timeout>();
  #listening: NatsConnection | null = null;

  constructor(operation: Operation, controllers: Controllers, reports: ChatReports) {
    this.#operation = operation;
    this.#controllers = controllers;
    this.#reports = reports;
    const throttled = (controller: Controller): ThrottledWake => new ThrottledWake(controller, figuresIntervalMs);
    const { db, search, chat, edge } = controllers;
    this.#figures = { db: throttled(db), search: throttled(search), chat: throttled(chat), edge: throttled(edge) };
  }

  start(): void {
    const { heartbeats, link, logs, caches } = this.#operation;
    heartbeats.onNews((address, news) => this.#onHeartbeat(address, news));
    logs.onChange((stream) => this.#onLog(stream));
    link.onState((state) => this.#onNats(state));
    link.onServers(() => this.#wakeSets());
    caches.nodes.subscribe(() => this.#onNodes());
    this.#every(tickMs, () => {
      heartbeats.tick();
      for (const address of heartbeats.doubtful()) void this.#askWhetherThere(address);
    });
    this.#every(relistMs, () => {
      if (link.state.state === 'ok') void this.#refreshLogs(0);
    });
    this.#every(this.#operation.rebalancer.intervalMs, () => this.#considerBalance());
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  #every(ms: number, run: () => void): void {
    const timer = setInterval(run, ms);
    timer.unref();
    this.#timers.add(timer);
  }

  #wakeAll(delayMs = 0): void {
    const wake = (): void => {
      for (const controller of Object.values(this.#controllers)) controller.wakeAll();
    };
    if (delayMs === 0) return wake();
    setTimeout(wake, delayMs).unref();
  }

  /** Whether NATS writes to disk at once matters to what rests on a log. */
  #wakeSets(): void {
    this.#controllers.db.wakeAll();
    this.#controllers.search.wakeAll();
  }

  #onHeartbeat({ namespace, role, resource }: PodAddress, news: HeartbeatNews): void {
    if (role !== 'db' && role !== 'search' && role !== 'edge') return;
    const key = `${namespace}/${resource}`;
    if (news === 'figures') this.#figures[role].wake(key);
    else if (role !== 'edge') this.#controllers[role].wake(key, urgent);
  }

  /** An empty command: whoever is connected answers, and when nobody is, NATS says so at once. */
  async #askWhetherThere({ namespace, pod }: PodAddress): Promise<void> {
    const { link, heartbeats } = this.#operation;
    if (!(await link.isDeserted(controlSubject(namespace, pod)))) return;
    this.#operation.log.info({ namespace, pod }, 'a silent primary is not connected');
    heartbeats.gone(namespace, pod);
  }

  #onLog(stream: string): void {
    const [, namespace, kind, name] = stream.split('_');
    if ((kind === 'db' || kind === 'search') && name) this.#controllers[kind].wake(`${namespace}/${name}`, urgent);
  }

  #onNats(state: NatsState): void {
    const { heartbeats, logs, directory, link } = this.#operation;
    if (state.state === 'away') {
      heartbeats.disconnected();
      logs.forget();
      this.#wakeAll(awayNoticeMs);
      return;
    }
    if (link.connection !== null && this.#listening !== link.connection) this.#listen(link.connection);
    heartbeats.connected();
    if (state.state === 'ok') {
      directory.repair();
      void this.#refreshLogs(200);
    }
    this.#wakeAll();
  }

  /** Subscriptions outlive reconnects, so this happens once. */
  #listen(connection: NatsConnection): void {
    this.#listening = connection;
    const { heartbeats, logs } = this.#operation;
    const on = (subject: string, take: (message: Msg) => void): void => {
      connection.subscribe(subject, {
        callback: (error, message) => {
          if (!error) take(message);
        },
      });
    };
    on(allHeartbeats, (message) => heartbeats.take(message.subject, parse(message)));
    on(allChatReports, (message) => this.#onChatReport(message));
    const relist = (): void => void logs.refresh().catch(() => {});
    on('$JS.EVENT.ADVISORY.STREAM.DELETED.>', relist);
  }

  #onChatReport(message: Msg): void {
    const news = this.#reports.take(message.subject, parse(message));
    for (const room of news?.rooms ?? []) this.#figures.chat.wake(`${news?.namespace}/${room}`);
  }

  /** Lists the logs; tries again while NATS is there but JetStream is not ready. */
  async #refreshLogs(retryMs: number): Promise<void> {
    const { logs, link, log } = this.#operation;
    try {
      await logs.refresh();
    } catch (error) {
      log.debug({ err: error }, 'the logs cannot be listed now');
      if (link.state.state !== 'ok') return;
      const next = Math.min(5000, Math.max(200, retryMs * 2));
      setTimeout(() => void this.#refreshLogs(next), next * (0.75 + Math.random() / 2)).unref();
    }
  }

  #onNodes(): void {
    const { nodes, caches } = this.#operation;
    if (!caches.nodes.synced && nodes.all().length === 0) return void nodes.update(caches.nodes.list(), Date.now());
    const changed = nodes.update(caches.nodes.list(), Date.now());
    if (changed.length === 0) return;
    for (const controller of [this.#controllers.db, this.#controllers.search]) controller.wakeAll();
    this.#wakeAll(steadyNoticeMs);
  }

  /** Changes for balance make no event of their own: looked for now and then, where there is something to gain. */
  #considerBalance(): void {
    const { rebalancer, fleet, caches } = this.#operation;
    const isSeen = (kind: ReplicatedKind, set: KubeObject): boolean =>
      set.metadata.deletionTimestamp !== undefined || fleet.has(`${kind}/${keyOf(set)}`);
    const isComplete =
      caches.dbShards.list().every((set) => isSeen('db', set)) &&
      caches.searchShards.list().every((set) => isSeen('search', set));
    for (const set of rebalancer.look(isComplete)) {
      const [kind, ...key] = set.split('/');
      if (kind === 'db' || kind === 'search') this.#controllers[kind].wake(key.join('/'));
    }
  }
}

const parse = (message: Msg): unknown => {
  try {
    return message.json();
  } catch {
    return undefined;
  }
};
