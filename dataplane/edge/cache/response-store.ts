import type { RawFields } from '../policy/fields.ts';
import type { StoredResponse } from '../policy/stored-response.ts';
import { matchesVary, variantKey } from '../policy/vary.ts';
import { type Held, S3Fifo } from './s3-fifo.ts';

/** Objects and maps that every stored response brings along, measured on Node 24, rounded up. */
const fixedCost = 1200;
/** A string's header and its slots, in the stored fields and in the headers kept for the next hit. */
const perString = 40;

/** Bytes that a stored response is charged: body, fields, indexes, fixed parts. */
export function storedCost(stored: StoredResponse): number {
  let cost = fixedCost + stored.body.byteLength + stored.key.length * 2;
  for (const text of stored.fields) cost += text.length + perString;
  for (const [name, value] of stored.vary) cost += name.length + value.length + 2 * perString;
  for (const tag of stored.tags) cost += tag.length + 3 * perString;
  return cost;
}

/** A part of a representation is another object than the whole of it. */
const idOf = (stored: StoredResponse): string => {
  const part = stored.part === undefined ? '' : `\r${stored.part.first}-${stored.part.last}`;
  return `${stored.key}\n${variantKey(stored.vary)}${part}`;
};

/** Most variants kept of one key: an origin that varies on something unbounded cannot fill the cache with one URL. */
const maxVariants = 64;

/** How a lookup went. */
export interface Found {
  readonly whole: StoredResponse | undefined;
  /** Stored parts of the selected variant, in any order. */
  readonly parts: readonly StoredResponse[];
  /** How many responses the key has: tells a miss of the key from a miss of the variant. */
  readonly variants: number;
}

const nothing: Found = { whole: undefined, parts: [], variants: 0 };

type Variant = Held<StoredResponse>;

/** Stored responses by key, in bounded memory. What is evicted leaves the indexes at once. */
export class ResponseStore {
  private readonly objects: S3Fifo<StoredResponse>;
  private readonly byKey = new Map<string, Variant[]>();
  private readonly byTag = new Map<string, Set<Variant>>();

  constructor(memoryBytes: number) {
    this.objects = new S3Fifo<StoredResponse>(memoryBytes, (held) => this.unindex(held));
  }

  /** Bytes charged: never above the memory that the store was given. */
  get usedBytes(): number {
    return this.objects.usedBytes;
  }

  get storedBytes(): number {
    return this.objects.storedBytes;
  }

  get size(): number {
    return this.objects.size;
  }

  resize(memoryBytes: number): void {
    this.objects.resize(memoryBytes);
  }

  /** The stored responses that Vary selects for a request (RFC 9111 section 4.1). Counts as a use of the whole one. */
  find(key: string, request: RawFields): Found {
    const variants = this.byKey.get(key);
    if (variants === undefined) return nothing;
    let whole: Variant | undefined;
    const parts: StoredResponse[] = [];
    for (const variant of variants) {
      if (!matchesVary(variant.value, request)) continue;
      if (variant.value.part !== undefined) parts.push(variant.value);
      // RFC 9111 section 4: the most recent of several.
      else if (whole === undefined || variant.value.responseTime >= whole.value.responseTime) whole = variant;
    }
    if (whole !== undefined) this.objects.touch(whole);
    return { whole: whole?.value, parts, variants: variants.length };
  }

  /** Names on which the stored responses of a key vary; empty when nothing is stored. */
  varyNames(key: string): readonly string[] {
    return this.byKey.get(key)?.[0]?.value.vary.map(([name]) => name) ?? [];
  }

  /** Stores a response in place of one with the same key and variant. False when it does not fit. */
  put(stored: StoredResponse): boolean {
    const oldest = this.byKey.get(stored.key);
    if (oldest !== undefined && oldest.length >= maxVariants) this.objects.delete((oldest[0] as Variant).key);
    const held = this.objects.set(idOf(stored), stored, storedCost(stored));
    if (held === undefined) return false;
    const variants = this.byKey.get(stored.key);
    if (variants === undefined) this.byKey.set(stored.key, [held]);
    else variants.push(held);
    for (const tag of stored.tags) {
      const tagged = this.byTag.get(tag);
      if (tagged === undefined) this.byTag.set(tag, new Set([held]));
      else tagged.add(held);
    }
    return true;
  }

  /** Removes one response, when it is still the stored one. */
  remove(stored: StoredResponse): void {
    const id = idOf(stored);
    if (this.objects.peek(id) === stored) this.objects.delete(id);
  }

  /** Removes every variant of a key; returns how many there were. */
  purgeKey(key: string): number {
    return this.purge(this.byKey.get(key) ?? []);
  }

  /** Removes everything whose key starts with the text. Walks all keys. */
  purgePrefix(prefix: string): number {
    const keys = [...this.byKey.keys()].filter((key) => key.startsWith(prefix));
    return keys.reduce((count, key) => count + this.purgeKey(key), 0);
  }

  purgeTag(tag: string): number {
    return this.purge(this.byTag.get(tag) ?? []);
  }

  /** Charges bytes of a body on its way in; see {@link S3Fifo.reserve}. */
  reserve(bytes: number): boolean {
    return this.objects.reserve(bytes);
  }

  release(bytes: number): void {
    this.objects.release(bytes);
  }

  private purge(variants: Iterable<Variant>): number {
    const all = [...variants];
    for (const variant of all) this.objects.delete(variant.key);
    return all.length;
  }

  private unindex(held: Variant): void {
    const { key, tags } = held.value;
    const variants = this.byKey.get(key) ?? [];
    const at = variants.indexOf(held);
    if (at >= 0) variants.splice(at, 1);
    if (variants.length === 0) this.byKey.delete(key);
    for (const tag of tags) {
      const tagged = this.byTag.get(tag);
      tagged?.delete(held);
      if (tagged?.size === 0) this.byTag.delete(tag);
    }
  }
}
