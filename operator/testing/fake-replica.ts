import type { Msg, NatsConnection, Subscription } from '@nats-io/nats-core';
import type { ControlReply } from '../../contract/control.ts';
import type { RangeReport, ReplicaState } from '../../contract/heartbeat.ts';
import { controlSubject, heartbeatSubject } from '../../contract/subjects.ts';

/** The log of a fake replica set: what decides who leads. */
export interface FakeLog {
  term: number;
  leader: string | null;
  applied: number;
  /** What it says about the keys of the shard. */
  range?: RangeReport;
  bytes?: number;
  /** Requests a second that its primary carries out. */
  work?: number;
}

export interface FakeReplicaOptions {
  readonly nats: NatsConnection;
  readonly namespace: string;
  readonly resource: string;
  readonly role: 'db' | 'search';
  readonly pod: string;
  readonly node: string;
  readonly log: FakeLog;
}

/** A pod that beats and answers commands as a replica would, without data. */
export class FakeReplica {
  readonly #options: FakeReplicaOptions;
  readonly #commands: Subscription;
  readonly #timer: NodeJS.Timeout;
  readonly #incarnation = Math.random().toString(36).slice(2);

  constructor(options: FakeReplicaOptions) {
    this.#options = options;
    const { nats, namespace, pod } = options;
    this.#commands = nats.subscribe(controlSubject(namespace, pod), {
      callback: (error, message) => {
        if (!error) this.#answer(message);
      },
    });
    this.#timer = setInterval(() => this.#beat(), 200);
    this.#beat();
  }

  /** The process dies: no beat, no answer. */
  kill(): void {
    clearInterval(this.#timer);
    this.#commands.unsubscribe();
  }

  /** Takes the lead, and says so before anybody could miss a primary. */
  lead(): void {
    const { log, pod } = this.#options;
    Object.assign(log, { term: log.term + 1, leader: pod });
    this.#beat();
  }

  get #state(): ReplicaState {
    return this.#options.log.leader === this.#options.pod ? 'primary' : 'following';
  }

  #answer(message: Msg): void {
    const { log, pod } = this.#options;
    // the operator's question whether somebody listens
    if (message.data.length === 0) return void message.respond('');
    const request = message.json<{ type: string; term: number }>();
    if (request.type === 'promote' && request.term > log.term) Object.assign(log, { term: request.term, leader: pod });
    if (request.type === 'step-down' && log.leader === pod) log.leader = null;
    const reply: ControlReply =
      request.type === 'promote' && log.leader !== pod
        ? { ok: false, code: 'stale-term', message: 'the log holds a higher term', term: log.term }
        : { ok: true, term: log.term, applied: log.applied };
    message.respond(JSON.stringify(reply));
    this.#beat();
  }

  #beat(): void {
    const { nats, namespace, resource, role, pod, node, log } = this.#options;
    const replica = {
      state: this.#state,
      term: log.term,
      applied: log.applied,
      tail: log.applied,
      figures: { keys: 7, bytes: log.bytes ?? 0 },
      ...(log.range !== undefined && { range: log.range }),
    };
    const load = { requestsPerSecond: this.#state === 'primary' ? (log.work ?? 0) : 0 };
    const identity = { pod, role, node, resource, incarnation: this.#incarnation };
    const beat = { ...identity, at: Date.now(), replica, load };
    if (!nats.isClosed()) nats.publish(heartbeatSubject(namespace, role, resource, pod), JSON.stringify(beat));
  }
}
