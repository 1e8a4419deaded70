/** `metav1.Condition`. */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  /** The metadata.generation that this was computed from. */
  readonly observedGeneration?: number;
  /** When `status` last changed, RFC 3339 in whole seconds. */
  readonly lastTransitionTime: string;
  /** CamelCase, for programs. */
  readonly reason: string;
  /** A sentence, for people. */
  readonly message: string;
}

/** A condition as a plan decides it: without the time. */
export interface DesiredCondition {
  readonly type: string;
  readonly status: boolean | 'Unknown';
  readonly reason: string;
  readonly message?: string;
}

/** How a merge is stamped. */
export interface ConditionStamp {
  /** ms since the epoch. */
  readonly now: number;
  readonly generation?: number | undefined;
}

/**
 * The conditions to write: those desired, each with the previous transition
 * time when its status is unchanged. Types not desired are dropped. Ordered as
 * desired, so the result is stable.
 */
export function mergeConditions(
  previous: readonly Condition[] | undefined,
  desired: readonly DesiredCondition[],
  stamp: ConditionStamp,
): Condition[] {
  return desired.map((want) => {
    const status = typeof want.status === 'boolean' ? (want.status ? 'True' : 'False') : want.status;
    const before = previous?.find((condition) => condition.type === want.type);
    const lastTransitionTime =
      before?.status === status ? before.lastTransitionTime : `${new Date(stamp.now).toISOString().slice(0, 19)}Z`;
    const generation = stamp.generation === undefined ? {} : { observedGeneration: stamp.generation };
    return {
      type: want.type,
      status,
      ...generation,
      lastTransitionTime,
      reason: want.reason,
      message: want.message ?? '',
    };
  });
}

/** The condition of a type, if present. */
export function findCondition(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}
