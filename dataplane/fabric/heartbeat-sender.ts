import type { NatsConnection } from '@nats-io/transport-node';
import { heartbeatIntervalMs, type Heartbeat } from '../../contract/heartbeat.ts';
import { heartbeatSubject } from '../../contract/subjects.ts';

/** The part of a heartbeat that a service fills. */
export type HeartbeatPart = Partial<Pick<Heartbeat, 'replica' | 'edge' | 'load'>>;

/** Who sends. */
export type HeartbeatIdentity = Pick<Heartbeat, 'pod' | 'role' | 'node' | 'resource' | 'incarnation'> & {
  readonly namespace: string;
};

/** Sends a pod's heartbeat every 250 ms and on demand. */
export class HeartbeatSender {
  readonly #nats: NatsConnection;
  readonly #identity: HeartbeatIdentity;
  readonly #subject: string;
  readonly #fills: (() => HeartbeatPart)[] = [];
  readonly #timer: NodeJS.Timeout;
  #connected = true;

  constructor(nats: NatsConnection, identity: HeartbeatIdentity) {
    this.#nats = nats;
    this.#identity = identity;
    this.#subject = heartbeatSubject(identity.namespace, identity.role, identity.resource ?? '_', identity.pod);
    this.#timer = setInterval(() => this.beat(), heartbeatIntervalMs);
    void this.#followStatus();
  }

  /** Adds a part to each heartbeat from now on. */
  add(fill: () => HeartbeatPart): void {
    this.#fills.push(fill);
  }

  /** Sends one now. Silent while NATS is away: a heartbeat that waits in a buffer would lie about its time. */
  beat(): void {
    if (!this.#connected || this.#nats.isClosed()) return;
    const { namespace: _namespace, ...identity } = this.#identity;
    const parts = this.#fills.map((fill) => fill());
    const load = Object.assign({}, ...parts.map((part) => part.load ?? {})) as Record<string, number>;
    this.#nats.publish(
      this.#subject,
      JSON.stringify(Object.assign({ ...identity, at: Date.now() }, ...parts, { load })),
    );
  }

  /** Stops sending. */
  stop(): void {
    clearInterval(this.#timer);
  }

  async #followStatus(): Promise<void> {
    for await (const status of this.#nats.status()) {
      if (status.type === 'disconnect') this.#connected = false;
      if (status.type !== 'reconnect') continue;
      this.#connected = true;
      this.beat();
    }
  }
}
