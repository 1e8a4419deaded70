import { chatRooms, finalizer, type ChatRoom } from '../kinds.ts';
import type { Operation } from '../operation.ts';
import { mergeConditions } from '../runtime/conditions.ts';
import type { ReconcileContext } from '../runtime/controller.ts';
import { keyOf, type ObjectKey } from '../runtime/object.ts';
import { done, requeueAfter, type Outcome } from '../runtime/outcome.ts';
import { removeChat, removeRoom } from './cleanup.ts';
import { chatRoomEntry, planChatRoom, sumFigures } from './plan.ts';
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
    const { caches, link, directory } = this.#operation;
    const cached = caches.chatRooms.get(key);
    if (cached === undefined) {
      this.#figuresAt.delete(key);
      this.#closingSince.delete(key);
      return done;
    }
    if (cached.metadata.deletionTimestamp !== undefined) return this.#delete(cached, context);
    const room = await context.writer.addFinalizer(chatRooms, cached, finalizer);
    const namespace = room.metadata.namespace ?? '';
    const ref = { namespace, name: room.metadata.name };
    if (link.state.state === 'ok') directory.set('chat', ref, chatRoomEntry(room, false));
    const natsAwayMs = this.#operation.natsAwayMs();
    if (link.state.state === 'away' && natsAwayMs < 3000) return requeueAfter(3000);
    const plan = planChatRoom({
      room,
      nats: link.state,
      natsAwayMs,
      gateways: caches.deployments.get({ namespace, name: 'chat-gateway' })?.status?.availableReplicas ?? 0,
      figures: sumFigures(this.#reports.of(namespace, room.metadata.name)),
      figuresSinceMs: performance.now() - (this.#figuresAt.get(key) ?? Number.NEGATIVE_INFINITY),
      published: directory.isPublished('chat', ref),
    });
    const stamp = { now: context.now(), generation: room.metadata.generation };
    const conditions = mergeConditions(room.status?.conditions as never, plan.conditions, stamp);
    const outcome = await context.writer.status(chatRooms, room, { ...plan.status, conditions } as never);
    if (outcome === 'patched') this.#figuresAt.set(key, performance.now());
    return plan.requeueAfterMs === undefined ? done : requeueAfter(plan.requeueAfterMs);
  }

  /** Closed in the directory first, so that gateways stop serving it; then its data goes. */
  async #delete(room: ChatRoom, context: ReconcileContext): Promise<Outcome> {
    if (!room.metadata.finalizers?.includes(finalizer)) return done;
    const { link, directory, caches } = this.#operation;
    const key = keyOf(room);
    const namespace = room.metadata.namespace ?? '';
    const ref = { namespace, name: room.metadata.name };
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
