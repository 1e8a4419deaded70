import type { ReplicatedKind } from '../../contract/names.ts';
import { moveAnnotations } from '../../crds/move.ts';
import { moveGoesOn } from '../../crds/replica-set.ts';
import { finalizer, refTo } from '../kinds.ts';
import { judgeLog } from '../messaging.ts';
import { ensureNatsSecret } from '../nats-secret.ts';
import type { Operation } from '../operation.ts';
import { labels, managedBy } from '../pod-template.ts';
import type { SetView } from '../replicas/view.ts';
import { persistentVolumeClaims, podDisruptionBudgets, pods } from '../runtime/builtin.ts';
import { mergeConditions } from '../runtime/conditions.ts';
import type { Controller, ReconcileContext } from '../runtime/controller.ts';
import { keyOf, type KubeObject, type ObjectKey } from '../runtime/object.ts';
import { done, requeueAfter, type Outcome } from '../runtime/outcome.ts';
import type { Resource } from '../runtime/resource.ts';
import type { Store } from '../runtime/store.ts';
import { act, type ActContext, type Action } from './act.ts';
import { newsOf } from './news.ts';
import { planDeletion, type DeletionStep } from './deletion.ts';
import type { ReplicaSet } from './kind.ts';
import { SetMemory } from './memory.ts';
import { disruptionBudgets, setTemplateHash } from './objects.ts';
import { occupancyOf } from './occupancy.ts';
import { isClaimOf, observeSet } from './observe.ts';
import { rollOutWaitsFor } from './roll-out.ts';
import {
  planReplicaSet,
  type Judgement,
  type Problem,
  type ReplicaSetPlan,
  type SetEntry,
  type SetObserved,
} from './plan.ts';

/** What a kind adds to a replica set. */
export interface SetKind<T extends ReplicaSet> {
  readonly kind: ReplicatedKind;
  readonly resource: Resource<T>;
  readonly cache: Store<T>;
  /** Names of the figures in heartbeats that status shows. */
  readonly figures: readonly string[];
  failover(set: T): { readonly suspectAfterMs: number; readonly replaceAfterMs: number };
  /** What shards of a namespace are siblings by: the database or the index. */
  readonly family: (shard: T) => string;
  /** Whether the shard fits with its siblings of the namespace. */
  judge(set: T, all: readonly T[]): Judgement;
  /** What siblings read of a shard besides its spec: they are woken when it changes. */
  shared?(shard: T): unknown;
  /** Further objects that the set owns. */
  objects(set: T): readonly { readonly resource: Resource; readonly desired: KubeObject }[];
  /** Publishes the document of a set, or takes it out of the directory. */
  publish(set: T, entry: SetEntry | null): void;
  /** Why a set whose deletion was asked for goes on for now; null: it may go. */
  whyNotDeleted?(set: T): Problem | null;
  /** Why a set that is being deleted, and has no pods any more, keeps its log and volumes for now; null: they may go. */
  whyNotFinished?(set: T): string | null;
  /** Looks after a set beyond its replicas. Answers when to look again, ms. Rejects with KubeError. */
  tend?(set: T, context: ReconcileContext): Promise<number | undefined>;
}

/** Reconciles one kind of replica set. */
export class ReplicaSetReconciler<T extends ReplicaSet> {
  readonly #kind: SetKind<T>;
  readonly #operation: Operation;
  readonly #memories = new Map<ObjectKey, SetMemory>();
  #controller: Controller | null = null;

  constructor(kind: SetKind<T>, operation: Operation) {
    this.#kind = kind;
    this.#operation = operation;
  }

  /** The controller whose keys answers of pods wake. */
  attach(controller: Controller): void {
    this.#controller = controller;
  }

  async reconcile(key: ObjectKey, context: ReconcileContext): Promise<Outcome> {
    const cached = this.#kind.cache.get(key);
    if (cached === undefined) return this.#forget(key);
    const deleting = cached.metadata.deletionTimestamp !== undefined;
    if (deleting && !this.#kind.whyNotDeleted?.(cached)) return this.#delete(cached, context);
    return this.#keep(cached, context);
  }

  /** Brings a set that is to stay towards what its spec says. */
  async #keep(cached: T, context: ReconcileContext): Promise<Outcome> {
    const key = keyOf(cached);
    const set = await context.writer.addFinalizer(this.#kind.resource, cached, finalizer);
    await ensureNatsSecret(refTo(set).namespace, this.#operation, context.writer);
    const foreign = await this.#applyObjects(set, context);
    const memory = this.#memory(key);
    const now = context.now();
    const view = this.#view(set, memory, now);
    const pods = view.replicas.filter(({ pod }) => memory.foreignPods.has(pod)).map(({ pod }) => `Pod ${pod}`);
    const plan = planReplicaSet(this.#observed(set, view, memory, { foreign: [...foreign, ...pods], now }));
    // at once, without waiting since the view was made: the next set's plan counts on it
    this.#operation.fleet.note(this.#fleetKey(set), occupancyOf(view, plan));
    await this.#carryOut(plan, { set, view, memory, context });
    const tendAfterMs = await this.#kind.tend?.(set, context);
    const again = [plan.requeueAfterMs, tendAfterMs].filter((ms) => ms !== undefined);
    return again.length === 0 ? done : requeueAfter(Math.min(...again));
  }

  #fleetKey(set: T): string {
    return `${this.#kind.kind}/${keyOf(set)}`;
  }

  #memory(key: ObjectKey): SetMemory {
    const known = this.#memories.get(key);
    if (known !== undefined) return known;
    const memory = new SetMemory();
    this.#memories.set(key, memory);
    return memory;
  }

  #forget(key: ObjectKey): Outcome {
    this.#memories.delete(key);
    this.#operation.fleet.forget(`${this.#kind.kind}/${key}`);
    return done;
  }

  async #applyObjects(set: T, { writer, events }: ReconcileContext): Promise<string[]> {
    const wanted = [
      ...disruptionBudgets(this.#kind.kind, set).map((desired) => ({
        resource: podDisruptionBudgets as Resource,
        desired: desired as KubeObject,
      })),
      ...this.#kind.objects(set),
    ];
    const foreign = [...this.#operation.foreign.of(`${this.#kind.kind}-gateway`, refTo(set).namespace)];
    for (const { resource, desired } of wanted) {
      const { result } = await writer.apply(resource, { desired, owner: set });
      if (result !== 'foreign') continue;
      foreign.push(`${desired.kind} ${desired.metadata.name}`);
      const note = `${desired.kind} ${desired.metadata.name} exists and belongs to another: it is left alone`;
      events.record(set, { type: 'Warning', reason: 'NameTaken', note });
    }
    return foreign;
  }

  #dependents(set: T) {
    const { pods: podCache, claims } = this.#operation.caches;
    const namespace = refTo(set).namespace;
    const isOurs = ({ metadata }: KubeObject): boolean =>
      metadata.namespace === namespace && metadata.labels?.[labels.managedBy] === managedBy;
    const instance = `${this.#kind.kind}/${namespace}/${set.metadata.name}`;
    return { pods: podCache.by('set', instance).filter(isOurs), claims: claims.by('set', instance).filter(isOurs) };
  }

  #view(set: T, memory: SetMemory, now: number): SetView {
    const { heartbeats, nodes, fleet, settings, rebalancer } = this.#operation;
    const failover = this.#kind.failover(set);
    const dependents = this.#dependents(set);
    heartbeats.setSuspectAfter(refTo(set).namespace, set.metadata.name, failover.suspectAfterMs);
    return observeSet({
      kind: this.#kind.kind,
      set,
      ...dependents,
      heartbeats,
      nodes,
      fleet,
      memory,
      templateHash: setTemplateHash(this.#kind.kind, set, settings),
      rollOutWaitsFor: rollOutWaitsFor(this.#kind.kind, set, dependents.pods, this.#operation),
      improvement: rebalancer.improvementFor(this.#fleetKey(set)),
      failover,
      now,
    });
  }

  #observed(set: T, view: SetView, memory: SetMemory, seen: Pick<SetObserved, 'foreign' | 'now'>): SetObserved {
    const { link, logs, caches, heartbeats, settings } = this.#operation;
    const namespace = refTo(set).namespace;
    const { kind } = this.#kind;
    const gateway = caches.deployments.get({ namespace, name: `${kind}-gateway` });
    const leader = view.replicas.find((replica) => replica.beat?.state === 'primary');
    const beat = leader && heartbeats.get(namespace, leader.pod)?.beat.replica;
    return {
      kind,
      set,
      view,
      nats: link.state,
      natsAwayMs: this.#operation.natsAwayMs(),
      log: judgeLog(logs.view({ kind, namespace, name: set.metadata.name }), set.status?.log, set.metadata.uid ?? ''),
      gateways: gateway?.status?.availableReplicas ?? 0,
      judgement: this.#kind.judge(set, this.#kind.cache.list(namespace)),
      orphans: this.#orphans(set, view),
      volumes: {
        className: set.spec.storage.className || settings.storageClass,
        classes: caches.storageClasses.list(),
        claims: this.#dependents(set).claims.filter((claim) => isClaimOf(claim, set)),
      },
      servers: link.servers,
      figures: Object.fromEntries(
        this.#kind.figures.map((name) => [name, beat ? Math.round(beat.figures[name] ?? 0) : 'unknown']),
      ),
      figuresSinceMs: performance.now() - memory.figuresAt,
      ...seen,
    };
  }

  #orphans(set: T, view: SetView): string[] {
    const known = new Set(view.replicas.map(({ pod }) => pod));
    return this.#dependents(set)
      .pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined && !known.has(metadata.name))
      .map(({ metadata }) => metadata.name);
  }

  async #carryOut(
    plan: ReplicaSetPlan,
    { set, view, memory, context }: { set: T; view: SetView; memory: SetMemory; context: ReconcileContext },
  ): Promise<void> {
    if (plan.entry !== null) this.#kind.publish(set, plan.entry);
    const acting: ActContext = {
      kind: this.#kind.kind,
      set,
      resource: this.#kind.resource as Resource,
      view,
      memory,
      operation: this.#operation,
      writer: context.writer,
      note: (event) => context.events.record(set, event),
      wake: () => this.#controller?.wake(keyOf(set), { priority: 10 }),
    };
    // the decision about who leads goes out first: it is what clients wait for
    for (const action of byUrgency(plan.actions)) await act(action, acting);
    await this.#writeStatus(set, plan, memory, context);
    await this.#endMove(set, plan, context);
  }

  /** The wish for a move goes when status tells how it ended. */
  async #endMove(set: T, { set: plan, status }: ReplicaSetPlan, { writer }: ReconcileContext): Promise<void> {
    if (plan === null || plan.move.type === 'none' || moveGoesOn(status.move)) return;
    const { kind, resource } = this.#kind;
    this.#operation.measures.noteMove(kind, status.move);
    const annotations = { [moveAnnotations.move]: null, [moveAnnotations.forBalance]: null };
    await writer.annotate(resource, set, { annotations });
  }

  async #writeStatus(set: T, plan: ReplicaSetPlan, memory: SetMemory, context: ReconcileContext): Promise<void> {
    if (plan.conditions.length === 0) return;
    for (const event of newsOf(set, plan)) context.events.record(set, event);
    const stamp = { now: context.now(), generation: set.metadata.generation };
    const conditions = mergeConditions(set.status?.conditions as never, plan.conditions, stamp);
    const nextReplica = Math.max(plan.status.nextReplica ?? 0, memory.nextNumber);
    const status = { ...plan.status, nextReplica, conditions } as unknown as NonNullable<T['status']>;
    if ((await context.writer.status(this.#kind.resource, set, status)) === 'patched')
      memory.figuresAt = performance.now();
  }

  async #delete(set: T, context: ReconcileContext): Promise<Outcome> {
    if (!set.metadata.finalizers?.includes(finalizer)) return done;
    const { link, nodes } = this.#operation;
    const { pods: setPods, claims } = this.#dependents(set);
    this.#kind.publish(set, null);
    const step = planDeletion({
      pods: setPods,
      claims: claims.filter((claim) => isClaimOf(claim, set)),
      policy: set.spec.storage.policy,
      nats: link.state,
      isLostNode: (node) => nodes.get(node)?.lost ?? true,
      waitsFor: () => this.#kind.whyNotFinished?.(set) ?? null,
    });
    return this.#carryOutDeletion(set, step, context);
  }

  async #carryOutDeletion(set: T, step: DeletionStep, { writer, events }: ReconcileContext): Promise<Outcome> {
    if (step.type === 'wait') {
      events.record(set, { type: 'Warning', reason: 'DeletionWaits', note: step.why });
      return requeueAfter(step.forMs, step.why);
    }
    if (step.type === 'delete-pods') {
      for (const { pod, force } of step.pods) await writer.remove(pods, pod, force ? { gracePeriodSeconds: 0 } : {});
      return requeueAfter(1000);
    }
    await this.#operation.logs.remove({ kind: this.#kind.kind, ...refTo(set) }, set.metadata.uid ?? '');
    for (const claim of step.claims) await writer.remove(persistentVolumeClaims, claim);
    for (const { pod } of set.status?.members ?? []) this.#operation.heartbeats.forget(refTo(set).namespace, pod);
    this.#operation.fleet.forget(this.#fleetKey(set));
    await writer.removeFinalizer(this.#kind.resource, set, finalizer);
    return done;
  }
}

const byUrgency = (actions: readonly Action[]): Action[] => {
  const urgent = (action: Action): boolean => action.type === 'promote' || action.type === 'switch-over';
  return [...actions.filter(urgent), ...actions.filter((action) => !urgent(action))];
};
