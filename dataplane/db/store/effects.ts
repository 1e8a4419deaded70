/**
 * What an operation in the log does to the store. An operation is a version byte, then effects one after another:
 *
 *     put       1  u16 key length  key  u32 value length  value
 *     put until 2  u16 key length  key  f64 expireAt  u32 value length  value
 *     remove    3  u16 key length  key
 *     expire    4  u16 key length  key  f64 expireAt (0 = never)
 *     clear     5
 *     put typed 6  u16 key length  key  u8 type  f64 expireAt  u32 value length  value
 *     element   7  u16 name length  name  f64 generation  u32 value length  value
 *     unelement 8  u16 name length  name  f64 generation
 *     note    128  u16 name length  name  u32 value length  value
 *     forget  129  u16 name length  name
 *
 * Notes are records of the shard itself, beside the keys of clients; `clear` leaves them alone.
 * Effects say what is, not what was asked: applying them is deterministic on every replica. The version is the lowest
 * that knows all of the operation's effects: 2 when it has typed rows or elements, else 1. An operation that changes
 * elements also puts the row of their collection, after them.
 */
const newestVersion = 2;
const kind = {
  put: 1,
  putUntil: 2,
  remove: 3,
  expire: 4,
  clear: 5,
  putTyped: 6,
  element: 7,
  unelement: 8,
  note: 128,
  forget: 129,
} as const;

/** What effects are applied to. Values are views into the operation. */
export interface EffectTarget {
  put(key: string, value: Buffer, expireAt: number, type: number): void;
  remove(key: string): void;
  expire(key: string, expireAt: number): void;
  /** Null: the element is removed. */
  element(generation: number, name: string, value: Buffer | null): void;
  clear(): void;
  note(name: string, value: Buffer): void;
  forget(name: string): void;
}

/** Collects the effects of one operation. Keys are strings of one character a byte. */
export class EffectWriter {
  length = 1;
  #version = 1;
  #bytes = Buffer.allocUnsafeSlow(4096);

  get empty(): boolean {
    return this.length === 1;
  }

  /** Bytes that a put takes. */
  static sizeOfPut(key: string, value: Buffer): number {
    return 16 + key.length + value.length;
  }

  /** Bytes that an element takes. */
  static sizeOfElement(name: string, value: Buffer | null): number {
    return 15 + name.length + (value?.length ?? 0);
  }

  put(key: string, value: Buffer, expireAt: number, type = 0): void {
    this.#reserve(EffectWriter.sizeOfPut(key, value));
    if (type !== 0) return this.#putTyped(key, value, expireAt, type);
    this.#key(expireAt === 0 ? kind.put : kind.putUntil, key);
    if (expireAt !== 0) this.length = this.#bytes.writeDoubleBE(expireAt, this.length);
    this.#value(value);
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

  element(generation: number, name: string, value: Buffer | null): void {
    this.#version = 2;
    this.#reserve(EffectWriter.sizeOfElement(name, value));
    this.#key(value === null ? kind.unelement : kind.element, name);
    this.length = this.#bytes.writeDoubleBE(generation, this.length);
    if (value !== null) this.#value(value);
  }

  clear(): void {
    this.#reserve(1);
    this.#bytes[this.length++] = kind.clear;
  }

  note(name: string, value: Buffer): void {
    this.#reserve(7 + name.length + value.length);
    this.#key(kind.note, name);
    this.#value(value);
  }

  forget(name: string): void {
    this.#reserve(3 + name.length);
    this.#key(kind.forget, name);
  }

  /** Where a value that `put` wrote last lies: a view that stays valid after {@link take}. */
  lastValue(length: number): Buffer {
    return this.#bytes.subarray(this.length - length, this.length);
  }

  /** What was written after `length`, as an operation of its own. */
  since(length: number): Buffer {
    return Buffer.concat([Buffer.of(newestVersion), this.#bytes.subarray(length, this.length)]);
  }

  /** Forgets what was written after `length`. */
  truncate(length: number): void {
    this.length = length;
  }

  /** The operation; the writer is empty afterwards and keeps no hold of the bytes. */
  take(): Buffer {
    this.#bytes[0] = this.#version;
    const operation = this.#bytes.subarray(0, this.length);
    this.#bytes = Buffer.allocUnsafeSlow(this.length > 4096 ? 65_536 : 4096);
    this.length = 1;
    this.#version = 1;
    return operation;
  }

  #putTyped(key: string, value: Buffer, expireAt: number, type: number): void {
    this.#version = 2;
    this.#key(kind.putTyped, key);
    this.#bytes[this.length++] = type;
    this.length = this.#bytes.writeDoubleBE(expireAt, this.length);
    this.#value(value);
  }

  #value(value: Buffer): void {
    this.length = this.#bytes.writeUInt32BE(value.length, this.length);
    this.length += value.copy(this.#bytes, this.length);
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

/** Reads the rest of an effect that begins with a name, applies it, and answers where the next begins. */
type ApplyNamed = (bytes: Buffer, at: number, name: string, target: EffectTarget) => number;

const named: Readonly<Record<number, ApplyNamed>> = {
  [kind.put]: (bytes, at, key, target) => withValue(bytes, at, (value) => target.put(key, value, 0, 0)),
  [kind.putUntil]: (bytes, at, key, target) => {
    const expireAt = bytes.readDoubleBE(at);
    return withValue(bytes, at + 8, (value) => target.put(key, value, expireAt, 0));
  },
  [kind.remove]: (_bytes, at, key, target) => {
    target.remove(key);
    return at;
  },
  [kind.expire]: (bytes, at, key, target) => {
    target.expire(key, bytes.readDoubleBE(at));
    return at + 8;
  },
  [kind.putTyped]: (bytes, at, key, target) => {
    const [type, expireAt] = [bytes.readUInt8(at), bytes.readDoubleBE(at + 1)];
    return withValue(bytes, at + 9, (value) => target.put(key, value, expireAt, type));
  },
  [kind.element]: (bytes, at, name, target) => {
    const generation = bytes.readDoubleBE(at);
    return withValue(bytes, at + 8, (value) => target.element(generation, name, value));
  },
  [kind.note]: (bytes, at, name, target) => withValue(bytes, at, (value) => target.note(name, value)),
  [kind.forget]: (_bytes, at, name, target) => {
    target.forget(name);
    return at;
  },
  [kind.unelement]: (bytes, at, name, target) => {
    target.element(bytes.readDoubleBE(at), name, null);
    return at + 8;
  },
};

const withValue = (bytes: Buffer, at: number, put: (value: Buffer) => void): number => {
  const end = at + 4 + bytes.readUInt32BE(at);
  if (end > bytes.length) throw new RangeError('an operation is cut short');
  put(bytes.subarray(at + 4, end));
  return end;
};

/** Applies one effect. Answers where the next begins. */
const applyOne = (bytes: Buffer, at: number, target: EffectTarget): number => {
  const effect = bytes[at] ?? 0;
  if (effect === kind.clear) {
    target.clear();
    return at + 1;
  }
  const apply = named[effect];
  if (!apply) throw new RangeError(`an operation holds an unknown effect (${effect})`);
  const end = at + 3 + bytes.readUInt16BE(at + 1);
  return apply(bytes, end, bytes.toString('latin1', at + 3, end), target);
};

/**
 * Applies all effects of an operation, in order.
 * @throws RangeError when the operation is not one of a known version: the replica then halts rather than guesses
 */
export const applyEffects = (operation: Uint8Array, target: EffectTarget): void => {
  const bytes = Buffer.from(operation.buffer, operation.byteOffset, operation.length);
  const version = bytes[0] ?? 0;
  if (version < 1 || version > newestVersion) {
    throw new RangeError(`an operation has version ${version}; this one reads up to ${newestVersion}`);
  }
  for (let at = 1; at < bytes.length;) at = applyOne(bytes, at, target);
};

const nothing = (): void => {};

/** Takes no notice of any effect: for who reads some of them, and spreads this. */
export const ignoring: EffectTarget = {
  put: nothing,
  remove: nothing,
  expire: nothing,
  element: nothing,
  clear: nothing,
  note: nothing,
  forget: nothing,
};

/** Whether an operation removes all keys. */
export const clearsKeys = (operation: Uint8Array): boolean => {
  let clears = false;
  const clear = (): void => {
    clears = true;
  };
  applyEffects(operation, { ...ignoring, clear });
  return clears;
};
