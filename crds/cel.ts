/** One CEL rule of a custom resource's schema: evaluated by the API server on each write. */
export interface CelRule {
  readonly rule: string;
  /** What kubectl prints when the rule fails. */
  readonly message: string;
  /** Path of the field to blame, when the rule stands on a parent. */
  readonly fieldPath?: string;
  readonly reason?: 'FieldValueInvalid' | 'FieldValueForbidden' | 'FieldValueRequired' | 'FieldValueDuplicate';
}

/** Schema metadata that carries CEL rules (https://kubernetes.io/docs/reference/using-api/cel/). */
export const rules = (...list: readonly CelRule[]) => ({ 'x-kubernetes-validations': list });

/** The field may be set once: what it decides cannot change under a running resource. */
export const immutable = (field: string): CelRule => ({
  rule: 'self == oldSelf',
  message: `${field} is immutable; create another resource instead`,
});
