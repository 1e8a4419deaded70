/**
 * S3-FIFO (Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023), by bytes instead of by objects.
 *
 * Three first-in-first-out queues: new objects enter `small` (a tenth of the bytes); those used again while there move
 * to `main`, the others leave and are remembered by key in `ghost`; a key that comes back while remembered enters
 * `main` at once. `main` gives an object another round for each use, at most three.
 */

/** Bytes charged for one remembered key: the map's slot and the key's own string. */
export const ghostCost = (key: string): number => 96 + key.length;

/** Share of the capacity that new objects compete in. */
const smallShare = 0.1;
/** Share of the capacity that remembered keys may take. */
const ghostShare = 0.05;
const maxUses = 3;

/** An object in the cache, as its owner sees it. */
export interface Held<V> {
  readonly key: string;
  readonly value: V;
}

interface Node<V> extends Held<V> {
  readonly cost: number;
  uses: number;
  queue: Queue<V>;
  newer: Node<V> | undefined;
  older: Node<V> | undefined;
}

/** A doubly linked list, so that a purge takes an object out of the middle at once. */
class Queue<V> {
  newest: Node<V> | undefined;
  oldest: Node<V> | undefined;
  cost = 0;

  push(node: Node<V>): void {
    node.queue = this;
    node.newer = undefined;
    node.older = this.newest;
    if (this.newest) this.newest.newer = node;
    this.newest = node;
    this.oldest ??= node;
    this.cost += node.cost;
  }

  remove(node: Node<V>): void {
    if (node.newer) node.newer.older = node.older;
    else this.newest = node.older;
    if (node.older) node.older.newer = node.newer;
    else this.oldest = node.newer;
    node.newer = undefined;
    node.older = undefined;
    this.cost -= node.cost;
  }
}

export class S3Fifo<V> {
  private capacityBytes: number;
  private readonly nodes = new Map<string, Node<V>>();
  private readonly small = new Queue<V>();
  private readonly main = new Queue<V>();
  /** Keys in order of eviction: a Map keeps insertion order. */
  private readonly ghost = new Map<string, number>();
  private ghostBytes = 0;
  private reservedBytes = 0;
  private readonly onEvict: (held: Held<V>) => void;

  /**
   * @param capacityBytes bound on everything charged: objects, remembered keys, reservations
   * @param onEvict called for each object that leaves by eviction, replacement or {@link delete}
   */
  constructor(capacityBytes: number, onEvict: (held: Held<V>) => void = () => {}) {
    this.capacityBytes = capacityBytes;
    this.onEvict = onEvict;
  }

  get size(): number {
    return this.nodes.size;
  }

  get capacity(): number {
    return this.capacityBytes;
  }

  /** Bytes charged now; never above the capacity. */
  get usedBytes(): number {
    return this.small.cost + this.main.cost + this.ghostBytes + this.reservedBytes;
  }

  /** Bytes of the objects alone. */
  get storedBytes(): number {
    return this.small.cost + this.main.cost;
  }

  /** Looks an object up and counts the use. */
  get(key: string): V | undefined {
    const node = this.nodes.get(key);
    if (node === undefined) return undefined;
    this.touch(node);
    return node.value;
  }

  /** Counts a use of an object that its owner found by an index of its own. */
  touch(held: Held<V>): void {
    const node = held as Node<V>;
    if (node.uses < maxUses) node.uses++;
  }

  /** Looks an object up without counting. */
  peek(key: string): V | undefined {
    return this.nodes.get(key)?.value;
  }

  /** Everything held, the longest in the cache first. */
  held(): IterableIterator<Held<V>> {
    return this.nodes.values();
  }

  /** Puts an object in, in place of one of equal key; undefined, and nothing changes, when it cannot fit. */
  set(key: string, value: V, cost: number): Held<V> | undefined {
    if (cost + this.reservedBytes > this.capacityBytes) return undefined;
    const replaced = this.nodes.get(key);
    const uses = replaced?.uses ?? 0;
    const wasMain = replaced?.queue === this.main;
    this.delete(key);
    const known = this.forget(key);
    this.makeRoom(cost);
    const queue = wasMain || known ? this.main : this.small;
    const node: Node<V> = { key, value, cost, uses, queue, newer: undefined, older: undefined };
    queue.push(node);
    this.nodes.set(key, node);
    return node;
  }

  delete(key: string): boolean {
    const node = this.nodes.get(key);
    if (node === undefined) return false;
    node.queue.remove(node);
    this.nodes.delete(key);
    this.onEvict(node);
    return true;
  }

  /** Charges bytes of an object on its way in; false when they cannot be had. Give them back with {@link release}. */
  reserve(bytes: number): boolean {
    if (bytes + this.reservedBytes > this.capacityBytes) return false;
    this.makeRoom(bytes);
    this.reservedBytes += bytes;
    return true;
  }

  release(bytes: number): void {
    this.reservedBytes -= bytes;
  }

  /** Changes the capacity, evicting what no longer fits. */
  resize(capacityBytes: number): void {
    this.capacityBytes = capacityBytes;
    this.makeRoom(0);
  }

  private makeRoom(bytes: number): void {
    while (this.usedBytes + bytes > this.capacityBytes && this.evictOne());
  }

  /** Frees something; false when nothing is left to free. */
  private evictOne(): boolean {
    if (this.ghostBytes > 0 && this.storedBytes === 0) return this.dropOldestGhost();
    const fromSmall = this.small.cost > this.capacityBytes * smallShare || this.main.oldest === undefined;
    return fromSmall ? this.evictSmall() || this.evictMain() : this.evictMain();
  }

  private evictSmall(): boolean {
    for (let node = this.small.oldest; node !== undefined; node = this.small.oldest) {
      if (node.uses === 0) {
        this.delete(node.key);
        this.remember(node.key);
        return true;
      }
      this.small.remove(node);
      node.uses = 0;
      this.main.push(node);
    }
    return false;
  }

  private evictMain(): boolean {
    for (let node = this.main.oldest; node !== undefined; node = this.main.oldest) {
      if (node.uses === 0) {
        this.delete(node.key);
        return true;
      }
      this.main.remove(node);
      node.uses--;
      this.main.push(node);
    }
    return false;
  }

  private remember(key: string): void {
    const cost = ghostCost(key);
    const bound = this.capacityBytes * ghostShare;
    if (cost > bound) return;
    while (this.ghostBytes + cost > bound && this.dropOldestGhost());
    this.ghost.set(key, cost);
    this.ghostBytes += cost;
  }

  private forget(key: string): boolean {
    const cost = this.ghost.get(key);
    if (cost === undefined) return false;
    this.ghost.delete(key);
    this.ghostBytes -= cost;
    return true;
  }

  private dropOldestGhost(): boolean {
    const oldest = this.ghost.keys().next();
    return oldest.done === true ? false : this.forget(oldest.value);
  }
}
