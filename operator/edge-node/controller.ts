import { foreignEvents, foreignRetryMs } from '../foreign.ts';
import { edgeNodes, finalizer, refTo, type EdgeNode } from '../kinds.ts';
import { natsGraceMs } from '../nats-link.ts';
import { ensureNatsSecret } from '../nats-secret.ts';
import type { Operation } from '../operation.ts';
import { deployments, podDisruptionBudgets } from '../runtime/builtin.ts';
import { mergeConditions } from '../runtime/conditions.ts';
import type { ReconcileContext } from '../runtime/controller.ts';
import { keyOf, type KubeObject, type ObjectKey } from '../runtime/object.ts';
import { done, requeueAfter, type Outcome } from '../runtime/outcome.ts';
import type { Resource } from '../runtime/resource.ts';
import { edgeBudget, edgeDeployment, planEdgeNode } from './plan.ts';
import { observeEdge } from './observe.ts';

/** The router gets this long to stop sending clients before an edge's pods go. */
const drainMs = 1500;

/** Reconciles EdgeNodes. */
export class EdgeNodeReconciler {
  readonly #operation: Operation;
  readonly #figuresAt = new Map<ObjectKey, number>();
  readonly #drainingSince = new Map<ObjectKey, number>();

  constructor(operation: Operation) {
    this.#operation = operation;
  }

  async reconcile(key: ObjectKey, context: ReconcileContext): Promise<Outcome> {
    const cached = this.#operation.caches.edgeNodes.get(key);
    if (cached === undefined) {
      this.#figuresAt.delete(key);
      this.#drainingSince.delete(key);
      return done;
    }
    if (cached.metadata.deletionTimestamp !== undefined) return this.#delete(cached, context);
    const edge = await context.writer.addFinalizer(edgeNodes, cached, finalizer);
    await ensureNatsSecret(refTo(edge).namespace, this.#operation, context.writer);
    const foreign = await this.#applyObjects(edge, context);
    const { link } = this.#operation;
    if (link.state.state === 'away' && this.#operation.natsAwayMs() < natsGraceMs) return requeueAfter(natsGraceMs);
    return this.#settle(edge, foreign, context);
  }

  async #settle(edge: EdgeNode, foreign: readonly string[], context: ReconcileContext): Promise<Outcome> {
    const key = keyOf(edge);
    const figuresSinceMs = performance.now() - (this.#figuresAt.get(key) ?? Number.NEGATIVE_INFINITY);
    const plan = planEdgeNode({ ...observeEdge(edge, this.#operation), foreign, figuresSinceMs });
    if (plan.entry !== null) this.#operation.directory.set('edge', refTo(edge), plan.entry);
    for (const event of foreignEvents(plan.conditions)) context.events.record(edge, event);
    const stamp = { now: context.now(), generation: edge.metadata.generation };
    const conditions = mergeConditions(edge.status?.conditions as never, plan.conditions, stamp);
    const outcome = await context.writer.status(edgeNodes, edge, { ...plan.status, conditions } as never);
    if (outcome === 'patched') this.#figuresAt.set(key, performance.now());
    const again = plan.requeueAfterMs ?? (foreign.length > 0 ? foreignRetryMs : undefined);
    return again === undefined ? done : requeueAfter(again);
  }

  async #applyObjects(edge: EdgeNode, { writer }: ReconcileContext): Promise<string[]> {
    const wanted: readonly { readonly resource: Resource; readonly desired: KubeObject }[] = [
      { resource: deployments, desired: edgeDeployment(edge, this.#operation.settings) },
      { resource: podDisruptionBudgets, desired: edgeBudget(edge) },
    ];
    const foreign = [...this.#operation.foreign.of('edge-router', refTo(edge).namespace)];
    for (const { resource, desired } of wanted) {
      const { result } = await writer.apply(resource, { desired, owner: edge });
      if (result === 'foreign') foreign.push(`${desired.kind} ${desired.metadata.name}`);
    }
    return foreign;
  }

  /** Draining in the directory first; then out of it, and the Deployment goes with the resource. */
  async #delete(edge: EdgeNode, context: ReconcileContext): Promise<Outcome> {
    if (!edge.metadata.finalizers?.includes(finalizer)) return done;
    const { directory, link } = this.#operation;
    const key = keyOf(edge);
    const ref = refTo(edge);
    const since = this.#drainingSince.get(key);
    if (since === undefined) {
      const plan = planEdgeNode({ ...observeEdge(edge, this.#operation), foreign: [], figuresSinceMs: 0 });
      if (link.state.state === 'ok' && plan.entry !== null) directory.set('edge', ref, plan.entry);
      this.#drainingSince.set(key, performance.now());
      return requeueAfter(drainMs);
    }
    const waited = performance.now() - since;
    if (waited < drainMs * 0.9) return requeueAfter(drainMs - waited);
    directory.set('edge', ref, null);
    await context.writer.removeFinalizer(edgeNodes, edge, finalizer);
    return done;
  }
}
