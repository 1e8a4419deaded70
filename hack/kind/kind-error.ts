/**
 * What can go wrong on the way to a cluster and that a person has to act on.
 * - docker-missing: no Docker answers, and none can be installed or started here
 * - command-failed: a program that we ran failed, or took too long
 * - build-failed: an image could not be built
 * - not-ready: something was not ready in time
 * - bad-setting: an environment variable makes no sense
 */
export type KindErrorCode = 'docker-missing' | 'command-failed' | 'build-failed' | 'not-ready' | 'bad-setting';

/** The one error class of `hack/kind` and `hack/image`. Its message is one line that can be shown as it is. */
export class KindError extends Error {
  readonly code: KindErrorCode;

  constructor(code: KindErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'KindError';
    this.code = code;
  }
}
