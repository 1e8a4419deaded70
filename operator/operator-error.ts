/**
 * - messaging-away: NATS cannot be reached now; try again
 * - messaging-refused: NATS answered with an error
 * - log-foreign: a stream of that name exists and was made for another resource
 */
export type OperatorErrorCode = 'messaging-away' | 'messaging-refused' | 'log-foreign';

/** The one error of the operator's own parts (the runtime has KubeError). */
export class OperatorError extends Error {
  override readonly name = 'OperatorError';
  readonly code: OperatorErrorCode;

  constructor(code: OperatorErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
