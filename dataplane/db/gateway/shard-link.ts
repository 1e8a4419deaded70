import { answerStatus, decodeAnswers, sequenceOf, type Answer } from '../batch/answer-batch.ts';
import { encodeRequests } from '../batch/request-batch.ts';
import { encodeError } from '../resp/reply-writer.ts';
import { batchLength, InFlight, type Outgoing } from './in-flight.ts';
import { Loss } from './loss.ts';
import type { Budget, ShardRequest, Submitted } from './request.ts';
import type { Target } from './target.ts';

/** Carries batches to members. */
export interface Transport {
  /** False while nothing can be sent; then requests wait here, where they surely are not executed. */
  readonly connected: boolean;
  /** Sends a batch. Answers come to the link's `take`, "nobody listens" to its `undelivered` with the batch's number. */
  send(link: ShardLink, pod: string, batch: Buffer, number: number): void;
}

export interface ShardLinkOptions {
  readonly shard: string;
  readonly transport: Transport;
  readonly budget: Budget;
  /** The present primary, as far as it is known. */
  readonly findPrimary: () => Target | null;
  /** The process behind a pod's name now; undefined: never heard. */
  readonly incarnationOf: (pod: string) => string | undefined;
  /** Whether there is no such shard any more. */
  readonly isGone: () => boolean;
  /** Monotonic clock, milliseconds. */
  readonly now: () => number;
  readonly random: () => number;
  /**
   * Where the keys of a request are by now: here, in another shard, which takes the request over, or nowhere together.
   */
  readonly route: (submitted: Submitted) => 'here' | 'taken' | 'nowhere';
  /** Has a request planned anew that can be executed nowhere as it is. */
  readonly replan: (submitted: Submitted) => void;
  /** Number of the next request, of all links together. */
  readonly nextOrder: () => number;
  /** Told how long a request took that was answered, milliseconds. */
  readonly observe?: (request: ShardRequest, ms: number) => void;
}

/** A request that is not executed for so long is given up, milliseconds. */
export const requestDeadlineMs = 10_000;
/** Pause before refused requests are sent again, milliseconds; grows by a factor of 2 and has jitter. */
const firstPauseMs = 10;
const maxPauseMs = 250;

const unknownOutcome = 'UNKNOWN the outcome is not known: the command may or may not have been executed';
/** What is answered when a request has to be planned anew and nobody does. */
export const movedApart = encodeError('TRYAGAIN the range of the shard has changed; not executed');
const overloaded = encodeError('TRYAGAIN too many requests wait in this gateway; not executed');

/**
 * The way to one shard. Requests are executed in the order in which they are submitted, whatever happens:
 * - all go to one member, until nothing is in flight to it; only then may the next member be tried
 * - when a member refuses a request, it refuses all later ones as well; when nothing is in flight any more they are
 *   all sent again, in their order, after a pause
 * Requests that were surely not executed are tried again until their deadline. A write whose outcome is unknown is
 * answered as such. A read is tried again.
 * Over links the order of requests on a key holds as well: see {@link follow}.
 */
export class ShardLink {
  readonly shard: string;
  readonly #options: ShardLinkOptions;
  #queue: Outgoing[] = [];
  #refused: Outgoing[] = [];
  readonly #flight = new InFlight();
  readonly #loss = new Loss();
  #target: Target | null = null;
  #epoch = 1;
  #pauseMs = firstPauseMs;
  #resumeAt = 0;
  #why = 'no primary is known';
  /** Whether the queue is in turn. */
  #sorted = true;
  /** Links whose requests before these ids have to be decided before anything is sent here. */
  #ahead: { readonly link: ShardLink; readonly before: number }[] = [];

  constructor(options: ShardLinkOptions) {
    this.shard = options.shard;
    this.#options = options;
  }

  /** Requests that wait or are in flight. */
  get pending(): number {
    return this.#queue.length + this.#refused.length + this.#flight.size;
  }

  /** Adds a request; it leaves with the next {@link flush}. */
  submit(request: ShardRequest): void {
    const deadline = request.deadline ?? this.#options.now() + requestDeadlineMs;
    if (!this.#admit(request)) return;
    const order = this.#options.nextOrder();
    this.#queue.push({ request, deadline, order, id: 0, parts: null, moved: false, apart: false });
  }

  /** Adds a request that waited elsewhere, where its turn is. */
  takeOver({ request, deadline, order }: Submitted): void {
    if (!this.#admit(request)) return;
    this.#queue.push({ request, deadline, order, id: 0, parts: null, moved: false, apart: false });
    this.#sorted = false;
  }

  /** Gives out what an asker has asked after a request, and is not sent. */
  withdraw({ request: { asker }, order }: Submitted): Submitted[] {
    const isLater = (each: Submitted): boolean => each.request.asker === asker && each.order > order;
    const later = this.#queue.filter(isLater);
    if (later.length === 0) return [];
    this.#queue = this.#queue.filter((each) => !isLater(each));
    for (const { request } of later) this.#options.budget.give(request.payload.length);
    return later;
  }

  /**
   * Keys came here from the shard of another link: sends nothing before it is known what became of all that the other
   * one has sent. What is refused there comes here, and has its turn before what was asked later.
   */
  follow(link: ShardLink): void {
    const before = link.#flight.nextId;
    if (!link.#isDecided(before)) this.#ahead.push({ link, before });
  }

  #isDecided(before: number): boolean {
    return this.#flight.isOver(before) && this.#refused.every(({ id }) => id >= before);
  }

  #sort(): void {
    this.#queue.sort((a, b) => a.order - b.order);
    this.#sorted = true;
  }

  /** Whether it has to wait for other links. */
  #follows(): boolean {
    this.#ahead = this.#ahead.filter(({ link, before }) => !link.#isDecided(before));
    return this.#ahead.length > 0;
  }

  #admit(request: ShardRequest): boolean {
    const admitted = this.#options.budget.take(request.payload.length);
    if (!admitted) request.waiter.answer(overloaded, 0);
    return admitted;
  }

  /** Sends what can be sent. */
  flush(): void {
    if (this.#refused.length > 0 && !this.#resume()) return;
    if (this.#queue.length === 0 || !this.#options.transport.connected) return;
    if (this.#ahead.length === 0 || !this.#follows()) this.#sendAll();
  }

  /** As much as may be in flight. */
  #sendAll(): void {
    if (!this.#sorted) this.#sort();
    if (this.#flight.size === 0) this.#retarget();
    if (this.#target === null) return;
    while (this.#queue.length > 0 && this.#flight.hasRoom) this.#sendBatch(this.#target);
  }

  /** Looks at the time: deadlines, a primary that is gone. Called about ten times a second, and at heartbeats. */
  tick(): void {
    const now = this.#options.now();
    this.#queue = this.#expire(this.#queue, now);
    this.#refused = this.#expire(this.#refused, now);
    for (const outgoing of this.#flight.all()) if (outgoing.deadline <= now) this.#giveUp(outgoing);
    this.#loseFlight(now);
    this.flush();
  }

  /** Takes a message of answers. */
  take(message: Buffer): void {
    const sequence = sequenceOf(message);
    for (const answer of decodeAnswers(message)) {
      const outgoing = this.#flight.get(answer.id);
      if (outgoing) this.#answered(outgoing, answer, sequence);
    }
    if (this.#refused.length > 0 || this.#queue.length > 0) this.flush();
  }

  /** Nobody listened to a batch: surely not executed. */
  undelivered(batch: number): void {
    for (const outgoing of this.#flight.ofBatch(batch)) {
      this.#why = 'the primary does not listen';
      this.#refuse(outgoing);
    }
  }

  #answered(outgoing: Outgoing, { status, bytes }: Answer, sequence: number): void {
    if (status === answerStatus.part) {
      (outgoing.parts ??= []).push(bytes);
    } else if (status === answerStatus.reply) {
      this.#pauseMs = firstPauseMs;
      this.#flight.land(outgoing);
      const reply = outgoing.parts ? Buffer.concat([...outgoing.parts, bytes]) : bytes;
      this.#finish(outgoing, reply, sequence);
    } else if (status === answerStatus.refused) {
      this.#why = bytes.toString();
      this.#refuse(outgoing);
    } else if (status === answerStatus.moved) {
      this.#why = bytes.toString();
      outgoing.moved = true;
      this.#refuse(outgoing);
    } else {
      this.#flight.land(outgoing);
      this.#finish(outgoing, encodeError(`UNKNOWN ${bytes.toString()}`), 0);
    }
  }

  #finish({ request, deadline }: Outgoing, reply: Buffer, sequence: number): void {
    this.#options.observe?.(request, this.#options.now() - deadline + requestDeadlineMs);
    this.#options.budget.give(request.payload.length);
    request.waiter.answer(reply, sequence);
  }

  #refuse(outgoing: Outgoing): void {
    this.#flight.land(outgoing);
    outgoing.parts = null;
    if (this.#refused.length === 0) {
      this.#resumeAt = this.#options.now() + this.#pauseMs * (0.5 + this.#options.random());
      this.#pauseMs = Math.min(2 * this.#pauseMs, maxPauseMs);
    }
    this.#refused.push(outgoing);
  }

  /** Puts what was refused before what waits, once nothing is in flight. */
  #resume(): boolean {
    if (this.#flight.size > 0 || this.#options.now() < this.#resumeAt) return false;
    this.#queue = [...this.#refused, ...this.#queue];
    this.#refused = [];
    this.#sorted = false;
    this.#epoch++;
    if (this.#queue.some(({ moved }) => moved)) this.reroute();
    return true;
  }

  /** Gives everything up. For a link that only reads. */
  abandon(line: string): void {
    const all = [...this.#flight.all(), ...this.#refused, ...this.#queue];
    for (const outgoing of this.#flight.all()) this.#flight.land(outgoing);
    this.#refused = [];
    this.#queue = [];
    const reply = encodeError(line);
    for (const outgoing of all) this.#finish(outgoing, reply, 0);
  }

  /** Ranges have changed: gives requests whose keys are elsewhere to the shard that has them, in their order. */
  reroute(): void {
    const apart: Outgoing[] = [];
    const askers = new Set<object | undefined>();
    this.#queue = this.#queue.filter((outgoing) => {
      if (this.#stays(outgoing, askers)) return true;
      if (outgoing.apart) apart.push(outgoing);
      return false;
    });
    for (const outgoing of apart) this.#options.replan(outgoing);
  }

  /** `askers`: of whom something is to be planned anew; what they asked later stays until it is withdrawn. */
  #stays(outgoing: Outgoing, askers: Set<object | undefined>): boolean {
    const { request, moved } = outgoing;
    const lost = moved || this.#options.isGone();
    const where = request.keys ? this.#options.route(outgoing) : lost ? 'nowhere' : 'here';
    outgoing.moved = false;
    if (where === 'here') return true;
    if (where === 'taken') this.#options.budget.give(request.payload.length);
    else return this.#staysApart(outgoing, askers);
    return false;
  }

  #staysApart(outgoing: Outgoing, askers: Set<object | undefined>): boolean {
    const { request } = outgoing;
    if (!request.replan) {
      this.#finish(outgoing, movedApart, 0);
      return false;
    }
    // What was sent before it may yet come back, and has its turn first.
    if (this.#flight.size > 0 || this.#refused.length > 0 || askers.has(request.asker)) return true;
    if (request.asker) askers.add(request.asker);
    this.#options.budget.give(request.payload.length);
    outgoing.apart = true;
    return false;
  }

  #retarget(): void {
    this.#target = this.#options.findPrimary();
    this.#loss.retargeted();
    if (this.#target === null) this.#why = 'no primary is known';
  }

  #sendBatch(target: Target): void {
    const length = batchLength(this.#queue);
    const batch = this.#queue.slice(0, length);
    this.#queue = this.#queue.slice(length);
    const number = this.#flight.add(batch);
    const requests = batch.map(({ id, request }) => ({ id, kind: request.kind, payload: request.payload }));
    this.#options.transport.send(this, target.pod, encodeRequests(this.#epoch, requests), number);
  }

  /** Fails those whose time is over; they were surely not executed. */
  #expire(list: Outgoing[], now: number): Outgoing[] {
    if (list.every(({ deadline }) => deadline > now)) return list;
    const late = encodeError(
      `TRYAGAIN not executed within ${requestDeadlineMs / 1000} s: shard ${this.shard}: ${this.#why}`,
    );
    for (const outgoing of list) if (outgoing.deadline <= now) this.#finish(outgoing, late, 0);
    return list.filter(({ deadline }) => deadline > now);
  }

  /** A request in flight whose time is over. */
  #giveUp(outgoing: Outgoing): void {
    this.#flight.land(outgoing);
    const line = outgoing.request.writes
      ? unknownOutcome
      : `TRYAGAIN shard ${this.shard} did not answer within ${requestDeadlineMs / 1000} s`;
    this.#finish(outgoing, encodeError(line), 0);
  }

  /** Gives up answers that will not come: those writes are unknown, reads are tried again. */
  #loseFlight(now: number): void {
    const { transport, findPrimary, incarnationOf, isGone } = this.#options;
    const target = this.#target;
    const before = this.#loss.before({
      now,
      connected: transport.connected,
      target,
      primary: findPrimary(),
      incarnation: target === null ? undefined : incarnationOf(target.pod),
      gone: isGone(),
      nextId: this.#flight.nextId,
    });
    if (this.#flight.isOver(before)) return;
    this.#why = 'its primary is gone';
    for (const outgoing of this.#flight.all()) {
      if (outgoing.id >= before) continue;
      if (outgoing.request.writes) this.#giveUp(outgoing);
      else this.#refuse(outgoing);
    }
  }
}
