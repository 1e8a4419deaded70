import { type Clock, systemClock } from './clock.ts';
import { KubeError } from './kube-error.ts';

/** A signal that fires with KubeError 'timeout' at a deadline or 'aborted' when the parent fires. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** ms left. */
  left(): number;
  /** Takes the timer and the listener away. Always call it. */
  release(): void;
}

/**
 * Starts a deadline of `ms`; `what` is named in the error. With no time left it fires before it returns: what has to be
 * done by now is not begun, however soon it could answer.
 */
export function startDeadline(what: string, ms: number, parent?: AbortSignal, clock: Clock = systemClock): Deadline {
  const controller = new AbortController();
  const end = clock.now() + ms;
  const onTime = (): void =>
    controller.abort(new KubeError('timeout', `${what}: no answer within ${Math.round(ms)} ms`));
  let cancel = (): void => {};
  if (ms > 0) cancel = clock.timer(ms, onTime);
  else onTime();
  const onParent = (): void =>
    controller.abort(new KubeError('aborted', `${what}: given up`, { cause: parent?.reason }));
  if (parent?.aborted) onParent();
  else parent?.addEventListener('abort', onParent, { once: true });
  return {
    signal: controller.signal,
    left: () => Math.max(0, end - clock.now()),
    release() {
      cancel();
      parent?.removeEventListener('abort', onParent);
    },
  };
}
