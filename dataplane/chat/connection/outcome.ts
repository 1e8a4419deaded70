import { ChatError } from '../chat-error.ts';
import type { Disconnect } from '../protocol/disconnect.ts';
import { replyErrors, withDetail, type ReplyError } from '../protocol/reply-error.ts';

/**
 * What a command comes to.
 * - result: the reply's payload
 * - error: a refusal; the connection goes on
 * - disconnect: the connection ends
 * - sent: the command has sent its reply itself
 */
export type Outcome =
  | { readonly kind: 'result'; readonly result: object }
  | { readonly kind: 'error'; readonly error: ReplyError }
  | { readonly kind: 'disconnect'; readonly why: Disconnect }
  | { readonly kind: 'sent' };

export const result = (value: object): Outcome => ({ kind: 'result', result: value });
export const refusal = (error: ReplyError): Outcome => ({ kind: 'error', error });
export const disconnect = (why: Disconnect): Outcome => ({ kind: 'disconnect', why });
export const sent: Outcome = { kind: 'sent' };

/** The reply error of a failure. What is not expected stays an internal error without detail. */
export const replyErrorOf = (error: unknown): ReplyError => {
  if (!(error instanceof ChatError)) return replyErrors.internal;
  switch (error.code) {
    case 'unknown-outcome':
      return replyErrors.unknownOutcome;
    case 'unavailable':
      return withDetail(replyErrors.internal, error.message);
    case 'refused':
      return withDetail(replyErrors.notAvailable, error.message);
    case 'unknown-room':
      return replyErrors.unknownChannel;
    case 'room-full':
      return replyErrors.roomFull;
  }
};
