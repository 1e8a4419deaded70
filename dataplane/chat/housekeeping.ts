import type { JetStreamManager } from '@nats-io/jetstream';
import type { KV } from '@nats-io/kv';
import type { Directory } from '../fabric/directory.ts';
import type { Pod } from '../fabric/pod.ts';
import { unsubscribes } from './protocol/disconnect.ts';
import { reporter } from './report.ts';
import type { Services } from './services.ts';
import { Audit } from './store/audit.ts';
import { ensureBucket } from './store/provision.ts';
import { clearRoom, sweepRoom } from './store/retention.ts';
import { holdSweepLease } from './store/sweep-lease.ts';

export interface HousekeepingOptions {
  readonly pod: Pod;
  readonly manager: JetStreamManager;
  readonly bucket: KV;
  readonly directory: Directory<'chat'>;
  readonly services: Services;
}

/** What a gateway does beside serving: audits, reports, retention, and what follows from changes around it. */
export class Housekeeping {
  readonly #options: HousekeepingOptions;
  readonly #audit: Audit;
  readonly #report: () => void;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #cleared = new Set<string>();

  constructor(options: HousekeepingOptions) {
    const { pod, manager, services } = options;
    this.#options = options;
    this.#audit = new Audit(pod, manager, services.hubs);
    this.#report = reporter(pod, services, this.#audit);
  }

  start(): void {
    const { pod, services, directory } = this.#options;
    services.members.onChange(({ room, user, present }) => {
      if (!present) services.hubs.find(room)?.remove(user);
    });
    const unwatch = directory.onChange(() => this.#closeRooms());
    this.#closeRooms();
    void this.#followReconnects();
    this.#every(services.limits.auditMs, () => this.#look());
    this.#every(services.limits.sweepMs, () => this.#sweep());
    void this.#look().catch(() => {});
    pod.onShutdown('chat housekeeping', async () => {
      unwatch();
      for (const timer of this.#timers) clearInterval(timer);
    });
  }

  /** Runs work again and again, never twice at once; a failure waits for the next time. */
  #every(ms: number, work: () => Promise<void>): void {
    let running = false;
    const timer = setInterval(() => {
      if (running) return;
      running = true;
      void work()
        .catch((error: unknown) => this.#options.pod.log.debug({ err: error }, 'housekeeping waits for NATS'))
        .finally(() => {
          running = false;
        });
    }, ms).unref();
    this.#timers.push(timer);
  }

  async #look(): Promise<void> {
    const { pod, services } = this.#options;
    const { hubs, metrics } = services;
    hubs.dropIdle();
    metrics.rooms.set(hubs.hubs.length);
    // without rooms the operator removes the streams: they must not be made again
    if (services.rooms().length > 0 && (await this.#audit.run()).madeAnew) {
      await ensureBucket(pod);
      await services.members.refresh();
    }
    this.#report();
  }

  /** Ends the live state of rooms that are gone or being deleted, and removes what the latter hold. */
  #closeRooms(): void {
    const { services, directory, pod } = this.#options;
    const { hubs, room } = services;
    for (const { room: name } of hubs.hubs) if (room(name) === null) hubs.close(name, unsubscribes.byServer);
    for (const { name, closing } of directory.entries.values()) {
      if (!closing) this.#cleared.delete(name);
      else this.#clear(name).catch((err: unknown) => pod.log.debug({ err, room: name }, 'a room is cleared later'));
    }
  }

  async #sweep(): Promise<void> {
    const { pod, bucket, services, directory, manager } = this.#options;
    const leaseMs = services.limits.sweepMs * 2;
    if (!(await holdSweepLease(bucket, pod.incarnation, Date.now(), leaseMs))) return;
    const store = { namespace: pod.env.QUARTET_NAMESPACE, manager, bucket, log: services.log };
    for (const room of directory.entries.values()) {
      if (room.closing) await this.#clear(room.name);
      else await sweepRoom(store, room, this.#audit.messages(room.name), Date.now());
    }
  }

  /** Removes messages and members of a room that is being deleted, once. */
  async #clear(room: string): Promise<void> {
    if (this.#cleared.has(room)) return;
    this.#cleared.add(room);
    try {
      await this.#clearNow(room);
    } catch (error) {
      this.#cleared.delete(room);
      throw error;
    }
  }

  async #clearNow(room: string): Promise<void> {
    const { pod, bucket, services, manager } = this.#options;
    await clearRoom({ namespace: pod.env.QUARTET_NAMESPACE, manager, bucket, log: services.log }, room);
    await services.members.clear(room);
  }

  /** NATS was away: live messages and changes of members may be lost. */
  async #followReconnects(): Promise<void> {
    const { pod, services } = this.#options;
    for await (const status of pod.nats.status()) {
      if (status.type !== 'reconnect') continue;
      services.hubs.resync().catch(() => {});
      services.members.refresh().catch(() => {});
    }
  }
}
