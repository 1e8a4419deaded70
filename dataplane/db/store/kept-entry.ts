import type { CommittedEntry } from '../../replica/state-machine.ts';

/** An operation is copied when it would keep a buffer alive that is so many times larger. */
const maxWaste = 2;

/** An entry to keep in memory for a while: its operations do not keep alive what they were received in. */
export const keptEntry = (entry: CommittedEntry): CommittedEntry => ({
  ...entry,
  operations: entry.operations.map((operation) =>
    operation.buffer.byteLength > maxWaste * operation.length ? Buffer.from(operation) : operation,
  ),
});
