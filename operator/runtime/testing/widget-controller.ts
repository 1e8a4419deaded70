import { type ConfigMap, configMaps } from '../builtin.ts';
import { mergeConditions } from '../conditions.ts';
import type { Controller, ControllerOptions, ReconcileContext } from '../controller.ts';
import type { Manager } from '../manager.ts';
import { keyOf } from '../object.ts';
import { done, type Outcome } from '../outcome.ts';
import type { Store } from '../store.ts';
import { type Widget, widgets } from './widget.ts';

const MANAGED = 'app.kubernetes.io/managed-by=widget';
export const WIDGET_FINALIZER = 'testing.quartet.dev/parts';

/** What a test may look at. */
export interface WidgetController {
  readonly controller: Controller;
  readonly widgets: Store<Widget>;
  readonly parts: Store<ConfigMap>;
  /** Keys in the order in which they were reconciled. */
  readonly reconciled: string[];
}

export interface WidgetControllerOptions extends Partial<Omit<ControllerOptions<Widget>, 'of' | 'owns' | 'reconcile'>> {
  /** Runs first; an outcome ends the reconcile. */
  readonly before?: (key: string, signal: AbortSignal) => Promise<Outcome | undefined>;
  readonly finalizer?: boolean;
  readonly namespace?: string;
  /** The cache holds only parts with this label. */
  readonly partSelector?: string;
}

/** A complete small controller: config maps as many as the spec says, surplus removed, status, finalizer. */
export function addWidgetController(manager: Manager, options: WidgetControllerOptions = {}): WidgetController {
  const { before, finalizer, partSelector, namespace, ...rest } = options;
  const scope = namespace === undefined ? {} : { namespace };
  const widgetCache = manager.cache(widgets, scope);
  const partCache = manager.cache(configMaps, { ...scope, labelSelector: partSelector ?? MANAGED });
  const reconciled: string[] = [];
  const controller = manager.controller<Widget>({
    name: 'widget',
    of: widgetCache,
    owns: [partCache],
    ...rest,
    async reconcile(key, context) {
      reconciled.push(key);
      const early = await before?.(key, context.signal);
      if (early !== undefined) return early;
      const widget = widgetCache.get(key);
      if (widget === undefined) return done;
      const parts = partCache.ownedBy(widget.metadata.uid ?? '');
      if (widget.metadata.deletionTimestamp !== undefined) return takeDown(widget, parts, context);
      if (finalizer) await context.writer.addFinalizer(widgets, widget, WIDGET_FINALIZER);
      return build(widget, parts, context);
    },
  });
  return { controller, widgets: widgetCache, parts: partCache, reconciled };
}

async function takeDown(widget: Widget, parts: readonly ConfigMap[], { writer }: ReconcileContext): Promise<Outcome> {
  for (const part of parts) await writer.remove(configMaps, part);
  await writer.removeFinalizer(widgets, widget, WIDGET_FINALIZER);
  return done;
}

async function build(widget: Widget, parts: readonly ConfigMap[], context: ReconcileContext): Promise<Outcome> {
  const { writer, events, now } = context;
  let foreign = 0;
  const desired = desiredParts(widget);
  for (const part of desired) {
    const { result } = await writer.apply(configMaps, { desired: part, owner: widget });
    if (result !== 'foreign') continue;
    foreign += 1;
    events.record(widget, { type: 'Warning', reason: 'NameTaken', note: `${keyOf(part)} belongs to another` });
  }
  const wanted = new Set(desired.map(keyOf));
  for (const part of parts.filter((part) => !wanted.has(keyOf(part)))) await writer.remove(configMaps, part);
  const conditions = mergeConditions(
    widget.status?.conditions,
    [{ type: 'Ready', status: foreign === 0, reason: foreign === 0 ? 'Made' : 'NameTaken' }],
    { now: now(), generation: widget.metadata.generation },
  );
  await writer.status(widgets, widget, { made: widget.spec.size - foreign, conditions });
  return done;
}

function desiredParts(widget: Widget): ConfigMap[] {
  const { name, namespace = '' } = widget.metadata;
  return Array.from({ length: widget.spec.size }, (_, index) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: `${name}-${index}`, namespace, labels: { 'app.kubernetes.io/managed-by': 'widget' } },
    data: { widget: name, note: widget.spec.note ?? 'none' },
  }));
}
