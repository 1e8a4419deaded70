import type { KubeObject } from './object.ts';

/** An occurrence that a person who runs `kubectl describe` should see. */
export interface EventNote {
  readonly type: 'Normal' | 'Warning';
  /** CamelCase, at most 128 characters, from a small set. */
  readonly reason: string;
  /** What the controller was doing: a verb such as `Promote`. Default: the reason. */
  readonly action?: string;
  /** A sentence, cut at 1,024 bytes. */
  readonly note: string;
  readonly related?: KubeObject;
}

/**
 * Writes Events (events.k8s.io/v1) in the background. Repeats within minutes
 * become a series with a count; a token bucket per object holds back floods; a
 * bounded queue drops the oldest. Never throws, never delays a reconcile.
 */
export interface EventRecorder {
  record(regarding: KubeObject, event: EventNote): void;
}
