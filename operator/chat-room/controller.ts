import { foreignEvents } from '../foreign.ts';
import { chatRooms, finalizer, refTo, type ChatRoom } from '../kinds.ts';
import { natsGraceMs } from '../nats-link.ts';
import type { Operation } from '../operation.ts';
import { mergeConditions } from '../runtime/conditions.ts';
import type { ReconcileContext } from '../runtime/controller.ts';
import { keyOf, type ObjectKey } from '../runtime/object.ts';
import { done, requeueAfter, type Outcome } from '../runtime/outcome.ts';
import { removeChat, removeRoom } from './cleanup.ts';
import { chatRoomEntry, planChatRoom, sumFigures, type ChatRoomObserved } from './plan.ts';
import type { ChatReports } from './reports.ts';

/** Gateways get this long to close subscriptions before a room's messages go. */
const closingMs = 1500;

/** Reconciles ChatRooms. */
export class ChatRoomReconciler {
  readonly #operation: Operation;
  readonly #reports: ChatReports;
  readonly #figuresAt = new Map<ObjectKey, number>();
  readonly #closingSince = new Map<ObjectKey, number>();

  constructor(operation: Operation, reports: ChatReports) {
    this.#operation = operation;
    this.#reports = reports;
  }

  async reconcile(key: ObjectKey, context: ReconcileContext): Promise<Outcome> {
    const cached = this.#operation.caches.chatRooms.get(key);
    if (cached === undefined) {
      this.#figuresAt.delete(key);
      this.#closingSince.delete(key);
      return done;
    }
    if (cached.metadata.deletionTimestamp !== undefined) return this.#delete(cached, context);
    const room = await context.writer.addFinalizer(chatRooms, cached, finalizer);
    const { state } = this.#operation.link.state;
    if (state === 'ok') this.#operation.directory.set('chat', refTo(room), chatRoomEntry(room, false));
    if (state === 'away' && this.#operation.natsAwayMs() < natsGraceMs) return requeueAfter(natsGraceMs);
    const plan = planChatRoom(this.#observe(room));
    for (const event of foreignEvents(plan.conditions)) context.events.record(room, event);
    const stamp = { now: context.now(), generation: room.metadata.generation };
    const conditions = mergeConditions(room.status?.conditions as never, plan.conditions, stamp);
    const outcome = await context.writer.status(chatRooms, room, { ...plan.status, conditions } as never);
    if (outcome === 'patched') this.#figuresAt.set(key, performance.now());
    return plan.requeueAfterMs === undefined ? done : requeueAfter(plan.requeueAfterMs);
  }

  #observe(room: ChatRoom): ChatRoomObserved {
    const { caches, link, directory, foreign } = this.#operation;
    const { namespace, name } = refTo(room);
    const gateway = caches.deployments.get({ namespace, name: 'chat-gateway' });
    return {
      room,
      nats: link.state,
      gateways: gateway?.status?.availableReplicas ?? 0,
      figures: sumFigures(this.#reports.of(namespace, name)),
      figuresSinceMs: performance.now() - (this.#figuresAt.get(keyOf(room)) ?? Number.NEGATIVE_INFINITY),
      foreign: foreign.of('chat-gateway', namespace),
      published: directory.isPublished('chat', { namespace, name }),
    };
  }

  /** Closed in the directory first, so that gateways stop serving it; then its data goes. */
  async #delete(room: ChatRoom, context: ReconcileContext): Promise<Outcome> {
    if (!room.metadata.finalizers?.includes(finalizer)) return done;
    const { link, directory, caches } = this.#operation;
    const key = keyOf(room);
    const ref = refTo(room);
    const { namespace } = ref;
    if (link.state.state !== 'ok') {
      const note = `the room's messages cannot be removed: ${link.state.problem}`;
      context.events.record(room, { type: 'Warning', reason: 'DeletionWaits', note });
      return requeueAfter(5000);
    }
    const since = this.#closingSince.get(key);
    if (since === undefined) {
      directory.set('chat', ref, chatRoomEntry(room, true));
      this.#closingSince.set(key, performance.now());
      return requeueAfter(closingMs);
    }
    const waited = performance.now() - since;
    if (waited < closingMs * 0.9) return requeueAfter(closingMs - waited);
    await removeRoom(link.manager(), namespace, room.metadata.name);
    const others = caches.chatRooms.list(namespace).filter((other) => keyOf(other) !== key);
    if (others.length === 0) await removeChat(link.manager(), namespace);
    directory.set('chat', ref, null);
    await context.writer.removeFinalizer(chatRooms, room, finalizer);
    return done;
  }
}
