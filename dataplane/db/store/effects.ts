/**
 * What an operation in the log does to the store. An operation is a version byte, then effects one after another:
 *
 *     put       1  u16 key length  key  u32 value length  value
 *     put until 2  u16 key length  key  f64 expireAt  u32 value length  value
 *     remove    3  u16 key length  key
 *     expire    4  u16 key length  key  f64 expireAt (0 = never)
 *     clear     5
 *     note    128  u16 name length  name  u32 value length  value
 *     forget  129  u16 name length  name
 *
 * Notes are records of the shard itself, beside the keys of clients; `clear` leaves them alone.
 * Effects say what is, not what was asked: applying them is deterministic on every replica.
 */
const version = 1;
const kind = { put: 1, putUntil: 2, remove: 3, expire: 4, clear: 5, note: 128, forget: 129 } as const;

/** What effects are applied to. Values are views into the operation. */
export interface EffectTarget {
  put(key: string, value: Buffer, expireAt: number): void;
  remove(key: string): void;
  expire(key: string, expireAt: number): void;
  clear(): void;
  note(name: string, value: Buffer): void;
  forget(name: string): void;
}

/** Collects the effects of one operation. Keys are strings of one character a byte. */
export class EffectWriter {
  length = 1;
  #bytes = Buffer.allocUnsafeSlow(4096);

  get empty(): boolean {
    return this.length === 1;
  }

  /** Bytes that a put takes. */
  static sizeOfPut(key: string, value: Buffer): number {
    return 15 + key.length + value.length;
  }

  put(key: string, value: Buffer, expireAt: number): void {
    this.#reserve(EffectWriter.sizeOfPut(key, value));
    this.#key(expireAt === 0 ? kind.put : kind.putUntil, key);
    if (expireAt !== 0) this.length = this.#bytes.writeDoubleBE(expireAt, this.length);
    this.length = this.#bytes.writeUInt32BE(value.length, this.length);
    this.length += value.copy(this.#bytes, this.length);
  }

  remove(key: string): void {
    this.#reserve(3 + key.length);
    this.#key(kind.remove, key);
  }

  expire(key: string, expireAt: number): void {
    this.#reserve(11 + key.length);
    this.#key(kind.expire, key);
    this.length = this.#bytes.writeDoubleBE(expireAt, this.length);
  }

  clear(): void {
    this.#reserve(1);
    this.#bytes[this.length++] = kind.clear;
  }

  note(name: string, value: Buffer): void {
    this.#reserve(7 + name.length + value.length);
    this.#key(kind.note, name);
    this.length = this.#bytes.writeUInt32BE(value.length, this.length);
    this.length += value.copy(this.#bytes, this.length);
  }

  forget(name: string): void {
    this.#reserve(3 + name.length);
    this.#key(kind.forget, name);
  }

  /** Where a value that `put` wrote last lies: a view that stays valid after {@link take}. */
  lastValue(length: number): Buffer {
    return this.#bytes.subarray(this.length - length, this.length);
  }

  /** Forgets what was written after `length`. */
  truncate(length: number): void {
    this.length = length;
  }

  /** The operation; the writer is empty afterwards and keeps no hold of the bytes. */
  take(): Buffer {
    this.#bytes[0] = version;
    const operation = this.#bytes.subarray(0, this.length);
    this.#bytes = Buffer.allocUnsafeSlow(this.length > 4096 ? 65_536 : 4096);
    this.length = 1;
    return operation;
  }

  #key(effect: number, key: string): void {
    this.#bytes[this.length] = effect;
    this.#bytes.writeUInt16BE(key.length, this.length + 1);
    this.length += 3 + this.#bytes.write(key, this.length + 3, 'latin1');
  }

  #reserve(more: number): void {
    if (this.length + more <= this.#bytes.length) return;
    const bytes = Buffer.allocUnsafeSlow(Math.max(2 * this.#bytes.length, this.length + more));
    this.#bytes.copy(bytes, 0, 0, this.length);
    this.#bytes = bytes;
  }
}

/** Applies one effect at `at`, whose key is read already and ends there. Answers where the next begins. */
const applyOne = (bytes: Buffer, at: number, target: EffectTarget): number => {
  const effect = bytes[at];
  if (effect === kind.clear) {
    target.clear();
    return at + 1;
  }
  const valueAt = at + 3 + bytes.readUInt16BE(at + 1);
  const key = bytes.toString('latin1', at + 3, valueAt);
  if (effect === kind.put) return applyPut(bytes, valueAt, (value) => target.put(key, value, 0));
  if (effect === kind.putUntil) {
    const expireAt = bytes.readDoubleBE(valueAt);
    return applyPut(bytes, valueAt + 8, (value) => target.put(key, value, expireAt));
  }
  if (effect === kind.note) return applyPut(bytes, valueAt, (value) => target.note(key, value));
  if (effect === kind.expire) {
    target.expire(key, bytes.readDoubleBE(valueAt));
    return valueAt + 8;
  }
  if (effect === kind.forget) target.forget(key);
  else if (effect === kind.remove) target.remove(key);
  else throw new RangeError(`an operation holds an unknown effect (${effect})`);
  return valueAt;
};

const applyPut = (bytes: Buffer, at: number, put: (value: Buffer) => void): number => {
  const end = at + 4 + bytes.readUInt32BE(at);
  if (end > bytes.length) throw new RangeError('an operation is cut short');
  put(bytes.subarray(at + 4, end));
  return end;
};

/**
 * Applies all effects of an operation, in order.
 * @throws RangeError when the operation is not one of this version: the replica then halts rather than guesses
 */
export const applyEffects = (operation: Uint8Array, target: EffectTarget): void => {
  const bytes = Buffer.from(operation.buffer, operation.byteOffset, operation.length);
  if (bytes[0] !== version) throw new RangeError(`an operation has version ${bytes[0]}; this one reads ${version}`);
  for (let at = 1; at < bytes.length;) at = applyOne(bytes, at, target);
};
