/**
 * - invalid: what was asked for makes no sense; nothing was done
 * - not-found: there is no such backup or database, or none that reaches the wanted moment
 * - damaged: a file of a backup is missing, cut short or changed; the message names it
 * - newer: a newer version of this program made the backup
 * - unreachable: the database or the place of backups did not answer in time; try again
 * - storage: the place of backups refused: wrong credentials, no such bucket, no space; the message says which
 * - changed: the database changed in a way that a backup does not span (a split, a log made anew, a log that was trimmed)
 * - not-empty: the database that was to be restored into holds keys
 * - mismatch: what was restored is not what was backed up
 */
export type BackupErrorCode =
  'invalid' | 'not-found' | 'damaged' | 'newer' | 'unreachable' | 'storage' | 'changed' | 'not-empty' | 'mismatch';

/** Any failure of a backup or a restore. Its message is for people, and says what to do where that is not plain. */
export class BackupError extends Error {
  override readonly name = 'BackupError';
  readonly code: BackupErrorCode;

  constructor(code: BackupErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** What anything thrown says. */
export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
