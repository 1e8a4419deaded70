/**
 * What gateways send to a member: all requests of one turn for its shard in one NATS message.
 *
 *     u32 epoch   then per request:   u32 id   u8 kind   u32 length   payload
 *
 * The payload of a single command is its RESP form. That of a transaction is
 *
 *     u16 number of watched keys   per key: u16 length, key, f64 version   then the RESP form of each command
 *
 * A version is the sequence that wrote the key; 0: it does not exist; below 0: it has not existed since that stamp of the
 * primary. The payload of a step of a transaction over several shards is in `two-phase/step.ts`. A stale read, which any
 * member answers, has before its RESP form: f64 sequence of the state to read, 0 = the newest there is. One on all keys of
 * a shard names the epoch of its range: `epoch.ts`.
 *
 * `epoch`: once a member has refused a request of an epoch it refuses all later ones of it, so that the gateway can
 * send everything again in its old order, under the next epoch. `id` is the gateway's own and comes back in the answer.
 */
export const requestKind = { resp3: 1, transaction: 2, step: 4, stale: 8, epoch: 16 } as const;

/** A request as it lies in a batch. */
export interface BatchedRequest {
  readonly id: number;
  /** Bits of {@link requestKind}. */
  readonly kind: number;
  readonly payload: Buffer;
}

const headerBytes = 4;
const itemBytes = 9;

/** Bytes that a request takes in a batch. */
export const batchedSize = (payload: Buffer): number => itemBytes + payload.length;

export const encodeRequests = (epoch: number, requests: readonly BatchedRequest[]): Buffer => {
  let size = headerBytes;
  for (const request of requests) size += batchedSize(request.payload);
  const bytes = Buffer.allocUnsafe(size);
  let at = bytes.writeUInt32BE(epoch, 0);
  for (const { id, kind, payload } of requests) {
    at = bytes.writeUInt32BE(id, at);
    bytes[at] = kind;
    at = bytes.writeUInt32BE(payload.length, at + 1);
    at += payload.copy(bytes, at);
  }
  return bytes;
};

export const epochOf = (batch: Buffer): number => batch.readUInt32BE(0);

/** The requests of a batch; payloads are views. @throws RangeError when it is cut short */
export function* decodeRequests(batch: Buffer): Generator<BatchedRequest> {
  for (let at = headerBytes; at < batch.length;) {
    const start = at + itemBytes;
    const end = start + batch.readUInt32BE(at + 5);
    if (end > batch.length) throw new RangeError('a batch of requests is cut short');
    yield { id: batch.readUInt32BE(at), kind: batch[at + 4] ?? 0, payload: batch.subarray(start, end) };
    at = end;
  }
}

/** A key that a transaction depends on, and the version it had. */
export interface WatchedKey {
  readonly key: string;
  readonly version: number;
}

export const encodeTransaction = (watched: readonly WatchedKey[], commands: readonly Buffer[]): Buffer => {
  const head = Buffer.alloc(2 + watched.reduce((sum, { key }) => sum + 10 + key.length, 0));
  let at = head.writeUInt16BE(watched.length, 0);
  for (const { key, version } of watched) {
    at = head.writeUInt16BE(key.length, at);
    at += head.write(key, at, 'latin1');
    at = head.writeDoubleBE(version, at);
  }
  return Buffer.concat([head, ...commands]);
};

/** The watched keys of a transaction, and where its commands begin. */
export const decodeWatched = (payload: Buffer): { watched: WatchedKey[]; commandsAt: number } => {
  const watched: WatchedKey[] = [];
  let at = 2;
  for (let left = payload.readUInt16BE(0); left > 0; left--) {
    const end = at + 2 + payload.readUInt16BE(at);
    watched.push({ key: payload.toString('latin1', at + 2, end), version: payload.readDoubleBE(end) });
    at = end + 8;
  }
  return { watched, commandsAt: at };
};
