/** Bounds of the database. What exceeds one is refused with a clear error; nothing is cut short silently. */

/** Longest key, bytes. */
export const maxKeyBytes = 1024;
/** Longest value, and longest argument of any command, bytes. */
export const maxValueBytes = 1024 * 1024;
/** Longest field of a hash, member of a set or of a sorted set, bytes: it is a part of a key of the store. */
export const maxElementBytes = 1024;
/** Longest command with all of its arguments, bytes: what it writes has to fit into one log entry. */
export const maxRequestBytes = 3_500_000;
/** Most arguments of one command. More is a protocol error, as in Redis. */
export const maxArguments = 1024 * 1024;
/** Longest inline command, bytes, as in Redis. */
export const maxInlineBytes = 64 * 1024;
/** Most commands in one transaction. */
export const maxTransactionCommands = 10_000;
/** Longest reply to one command, bytes. */
export const maxReplyBytes = 16 * 1024 * 1024;
/** Most keys that one KEYS answers; above that it is refused in favour of SCAN. */
export const maxKeysAnswered = 100_000;
/** What one operation in the log may hold, bytes; the replica core's own bound is a little above. */
export const maxOperationBytes = 4 * 1024 * 1024 - 4096;
/** Once an operation holds this much it is proposed without waiting for the end of the turn, bytes. */
export const fullOperationBytes = 1024 * 1024;
/** While another operation is in flight, one is proposed when it holds this much, bytes: the log then takes a second entry. */
export const worthAnotherEntryBytes = 128 * 1024;
