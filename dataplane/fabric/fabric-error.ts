/**
 * - bad-environment: the pod's environment does not parse; the message names each variable
 * - bad-command: the command line names no role
 * - timeout: a wait passed its deadline
 */
export type FabricErrorCode = 'bad-environment' | 'bad-command' | 'timeout';

/** The one error class of `dataplane/fabric`. */
export class FabricError extends Error {
  override readonly name = 'FabricError';
  readonly code: FabricErrorCode;

  constructor(code: FabricErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
