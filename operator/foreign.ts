import type { GatewayRole } from './gateways/plan.ts';
import type { DesiredCondition } from './runtime/conditions.ts';
import type { EventNote } from './runtime/events.ts';

/** Objects of others are looked at this often: their caches do not show when they go, so nothing else tells. */
export const foreignRetryMs = 30_000;

/** What a resource says of objects that have names it needs and belong to others; nothing when there are none. */
export const foreignCondition = (objects: readonly string[]): DesiredCondition[] => {
  if (objects.length === 0) return [];
  const advice = 'delete them or make this resource under another name or in another namespace';
  const message = `not made by this operator and left alone: ${objects.join(', ')}; ${advice}`;
  return [{ type: 'ObjectsForeign', status: true, reason: 'NameTaken', message }];
};

/** The event that goes with {@link foreignCondition}, if that is among the conditions. */
export const foreignEvents = (conditions: readonly DesiredCondition[]): EventNote[] =>
  conditions
    .filter(({ type }) => type === 'ObjectsForeign')
    .map(({ reason, message = '' }) => ({ type: 'Warning', reason, note: message }));

/**
 * Objects that all resources of a kind share in a namespace (the gateway's and Secrets), whose names others have taken.
 * The controllers of gateways note them, those of the resources tell of them.
 */
export class SharedForeign {
  readonly #objects = new Map<string, readonly string[]>();
  readonly #listeners: ((role: GatewayRole, namespace: string) => void)[] = [];

  /** `<kind> <name>` of each. */
  of(role: GatewayRole, namespace: string): readonly string[] {
    return this.#objects.get(`${role}/${namespace}`) ?? [];
  }

  /** Listeners hear of it when it is not what it was. */
  note(role: GatewayRole, namespace: string, objects: readonly string[]): void {
    if (this.of(role, namespace).join() === objects.join()) return;
    if (objects.length === 0) this.#objects.delete(`${role}/${namespace}`);
    else this.#objects.set(`${role}/${namespace}`, objects);
    for (const listener of this.#listeners) listener(role, namespace);
  }

  onChange(listener: (role: GatewayRole, namespace: string) => void): void {
    this.#listeners.push(listener);
  }
}
