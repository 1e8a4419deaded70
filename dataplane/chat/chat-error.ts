/**
 * - unavailable: NATS did not answer in time; nothing was changed; the same call may succeed later
 * - unknown-outcome: a write was sent and no answer came: it may be stored or not
 * - refused: the store refuses the write for good (a limit, a missing stream)
 * - unknown-room: the room does not exist or is being deleted
 * - room-full: the room has `maxMembers` members
 */
export type ChatErrorCode = 'unavailable' | 'unknown-outcome' | 'refused' | 'unknown-room' | 'room-full';

/** The one error class of `dataplane/chat`. */
export class ChatError extends Error {
  override readonly name = 'ChatError';
  readonly code: ChatErrorCode;

  constructor(code: ChatErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
