import type { LogView } from './logs.ts';
import type { NatsState } from './nats-link.ts';

/** Messaging as a plan sees it. */
export interface MessagingView {
  readonly nats: NatsState;
  readonly log: LogView;
}

/**
 * What the log of a resource is to it.
 * - wait: cannot be judged now
 * - create: there is none yet
 * - adopt: made for this resource, but not recorded yet
 * - good
 * - lost: gone, or another than recorded: a shorter history, never to be served
 * - foreign: made for another resource of the name
 */
export type LogVerdict =
  | { readonly type: 'wait' | 'create' }
  | { readonly type: 'adopt' | 'good'; readonly log: { readonly stream: string; readonly created: string } }
  | { readonly type: 'lost' | 'foreign'; readonly message: string };

/** Judges the log against what status recorded when it was made. */
export const judgeLog = (
  view: LogView,
  recorded: { readonly stream: string; readonly created: string } | undefined,
  uid: string,
): LogVerdict => {
  if (view.state === 'unknown') return { type: 'wait' };
  if (recorded === undefined) {
    if (view.state === 'missing') return { type: 'create' };
    const log = { stream: view.stream, created: view.created };
    if (view.owner === uid) return { type: 'adopt', log };
    const message = `stream ${view.stream} exists and was not made for this resource: delete it, or give the resource another name`;
    return { type: 'foreign', message };
  }
  const remedy = 'restore it from a backup of the JetStream store, or delete this resource and create it anew';
  if (view.state === 'missing') {
    return { type: 'lost', message: `stream ${recorded.stream} is gone: ${remedy}` };
  }
  if (view.created !== recorded.created) {
    const message = `stream ${recorded.stream} was made anew at ${view.created}, the data is of the one made at ${recorded.created}: ${remedy}`;
    return { type: 'lost', message };
  }
  return { type: 'good', log: { stream: view.stream, created: view.created } };
};
