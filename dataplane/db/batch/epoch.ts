import { encodeCommand, Frame, readTrusted } from '../resp/frame.ts';
import { requestKind } from './request-batch.ts';

/**
 * A request on all keys of a shard is right only as long as the shard has those keys that the asker believes it to have: a
 * new shard that the asker does not know of would be left out. So it says in which epoch of the range it holds, and the
 * member refuses it in any other one.
 *
 * Epoch 0 is left out: shards that were never split are asked as ever. Another one is a command before the request's own,
 * `QEPOCH 3`, and marked in `kind`; a member that does not know of epochs answers that it does not know the command.
 */
export interface EpochRequest {
  readonly kind: number;
  readonly payload: Buffer;
}

const name = 'QEPOCH';

/** A request that holds in one epoch only. */
export const inEpoch = ({ kind, payload }: EpochRequest, epoch: number): EpochRequest =>
  epoch === 0
    ? { kind, payload }
    : { kind: kind | requestKind.epoch, payload: Buffer.concat([encodeCommand([name, String(epoch)]), payload]) };

const isInEpoch = ({ kind }: EpochRequest): boolean => (kind & requestKind.epoch) !== 0;

/** Where the request's own command begins. @throws RangeError when it is malformed */
const readEpoch = (payload: Buffer): { epoch: number; at: number } => {
  const frame = new Frame();
  const at = readTrusted(frame, payload, 0);
  if (frame.word(0) !== name) throw new RangeError('a request has no epoch, though it says so');
  return { epoch: Number(frame.text(1)), at };
};

/** The epoch of the range in which a request holds. @throws RangeError */
export const rangeEpochOf = (request: EpochRequest): number =>
  isInEpoch(request) ? readEpoch(request.payload).epoch : 0;

/** The command of a request, without the epoch. @throws RangeError */
export const commandOf = (request: EpochRequest): Buffer =>
  isInEpoch(request) ? request.payload.subarray(readEpoch(request.payload).at) : request.payload;
