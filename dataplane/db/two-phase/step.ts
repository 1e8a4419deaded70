/**
 * What the coordinator of a transaction over several shards asks of a member: the payload of a request of kind `step`.
 *
 *     u8 step   u8 length, transaction id   prepare only: u32 length, JSON {@link Roles}   the transaction, as in a batch
 *
 * - prepare: evaluate, keep the effects, lock the keys. Answers what EXEC would
 * - commit (anchor): the decision; carries out the anchor's own part. Answers COMMITTED or ABORTED
 * - abort (anchor): the other decision. Answers COMMITTED or ABORTED, whichever came first
 * - ask (anchor): what the decision is. Answers COMMITTED, ABORTED or PENDING
 * - apply, drop (others): carry out the decision. Answer OK, also when that was done before
 * - forget (anchor): all others have carried out a commit
 *
 * Every step may be repeated, and may arrive late.
 */
export const stepNames = ['prepare', 'commit', 'abort', 'ask', 'apply', 'drop', 'forget'] as const;
export type StepName = (typeof stepNames)[number];

/** Who takes part, by names of shards. */
export interface Roles {
  /** Its log holds the decision. */
  readonly anchor: string;
  /** All, the anchor included. */
  readonly participants: readonly string[];
}

export type Step =
  | { readonly name: Exclude<StepName, 'prepare'>; readonly id: string }
  | { readonly name: 'prepare'; readonly id: string; readonly roles: Roles; readonly transaction: Buffer };

export const encodeStep = (step: Step): Buffer => {
  const head = Buffer.from([stepNames.indexOf(step.name), step.id.length, ...Buffer.from(step.id, 'latin1')]);
  if (step.name !== 'prepare') return head;
  const roles = Buffer.from(JSON.stringify(step.roles));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(roles.length);
  return Buffer.concat([head, length, roles, step.transaction]);
};

/** Whether a step waits behind earlier requests of its gateway. The others must not: locks wait for them. */
export const isOrdered = (payload: Buffer): boolean => payload[0] === 0;

/** @throws RangeError when it is not a step */
export const decodeStep = (payload: Buffer): Step => {
  const name = stepNames[payload.readUInt8(0)];
  if (name === undefined) throw new RangeError('a step of a transaction is not known');
  const rest = 2 + payload.readUInt8(1);
  const id = payload.toString('latin1', 2, rest);
  if (name !== 'prepare') return { name, id };
  const transactionAt = rest + 4 + payload.readUInt32BE(rest);
  const roles = JSON.parse(payload.toString('utf8', rest + 4, transactionAt)) as Roles;
  return { name, id, roles, transaction: payload.subarray(transactionAt) };
};

/** Answers to commit, abort and ask. */
export const decision = { committed: 'COMMITTED', aborted: 'ABORTED', pending: 'PENDING' } as const;
