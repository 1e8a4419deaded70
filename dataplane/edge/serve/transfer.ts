import type { ServerResponse } from 'node:http';

/** Memory for the bytes that a transfer keeps; see `ResponseStore.reserve`. */
export interface Budget {
  reserve(bytes: number): boolean;
  release(bytes: number): void;
}

/** How a transfer holds back its source. */
export interface Flow {
  pause(): void;
  resume(): void;
  /** Nobody reads any more and nothing is kept. */
  abandon(): void;
}

interface Reader {
  readonly response: ServerResponse;
  /** Index of the next chunk, counted from the start of the body. */
  next: number;
  waiting: boolean;
}

/** Bytes that a slow reader may lag behind the source when nothing is kept. */
const lagBytes = 512 * 1024;

/**
 * A body on its way from the origin to any number of clients. While it is kept for the cache it flows at the origin's
 * speed, whatever the clients do; once it is not, the slowest client sets the speed and passed chunks are forgotten.
 */
export class Transfer {
  private readonly budget: Budget;
  private readonly limitBytes: number;
  private readonly readers = new Set<Reader>();
  private chunks: Buffer[] = [];
  /** Chunks forgotten before `chunks[0]`. */
  private dropped = 0;
  private heldBytes = 0;
  private reserved = 0;
  private keeping: boolean;
  private ended = false;
  private paused = false;
  private flow: Flow | undefined;

  /** @param limitBytes largest body that is kept; 0 keeps nothing */
  constructor(budget: Budget, limitBytes: number) {
    this.budget = budget;
    this.limitBytes = limitBytes;
    this.keeping = limitBytes > 0;
  }

  /** True while the whole body so far is there: others may still attach. */
  get complete(): boolean {
    return this.keeping;
  }

  /** The first readers have attached: without any, a body that is not kept is not wanted. */
  begin(): void {
    if (this.readers.size === 0 && !this.keeping && !this.ended) this.flow?.abandon();
  }

  connect(flow: Flow): void {
    this.flow = flow;
  }

  append(chunk: Buffer): void {
    if (this.keeping && !this.keep(chunk.byteLength)) this.stopKeeping();
    this.chunks.push(chunk);
    this.heldBytes += chunk.byteLength;
    for (const reader of this.readers) this.pump(reader);
    this.settle();
  }

  /** The body is complete. Returns it when it was kept; the budget is given back either way. */
  end(): Buffer | undefined {
    this.ended = true;
    const body = this.keeping ? joined(this.chunks, this.heldBytes) : undefined;
    this.giveBack();
    this.keeping = false;
    for (const reader of this.readers) this.pump(reader);
    return body;
  }

  /** The source failed: clients see a cut connection, never a body that looks whole. */
  fail(): void {
    this.ended = true;
    this.keeping = false;
    this.giveBack();
    for (const reader of this.readers) reader.response.destroy();
    this.readers.clear();
    this.chunks = [];
  }

  /** Sends the body to a client whose head was written already. */
  attach(response: ServerResponse): void {
    if (response.destroyed || response.writableEnded) return;
    const reader: Reader = { response, next: 0, waiting: false };
    this.readers.add(reader);
    response.on('close', () => this.detach(reader));
    response.on('drain', () => {
      reader.waiting = false;
      this.pump(reader);
      this.settle();
    });
    this.pump(reader);
  }

  /** Gives up keeping; readers go on. */
  stopKeeping(): void {
    this.keeping = false;
    this.giveBack();
    this.forgetPassed();
    if (this.readers.size === 0 && !this.ended) this.flow?.abandon();
  }

  private keep(bytes: number): boolean {
    if (this.heldBytes + bytes > this.limitBytes || !this.budget.reserve(bytes)) return false;
    this.reserved += bytes;
    return true;
  }

  private giveBack(): void {
    this.budget.release(this.reserved);
    this.reserved = 0;
  }

  private detach(reader: Reader): void {
    if (!this.readers.delete(reader) || this.ended) return;
    if (this.readers.size === 0 && !this.keeping) this.flow?.abandon();
    else this.settle();
  }

  private pump(reader: Reader): void {
    while (!reader.waiting && reader.next - this.dropped < this.chunks.length) {
      const chunk = this.chunks[reader.next - this.dropped] as Buffer;
      reader.next++;
      reader.waiting = !reader.response.write(chunk);
    }
    if (this.ended && reader.next - this.dropped >= this.chunks.length) {
      this.readers.delete(reader);
      reader.response.end();
    }
  }

  private settle(): void {
    if (this.keeping || this.ended) return;
    this.forgetPassed();
    const behind = this.heldBytes > lagBytes;
    if (behind === this.paused) return;
    this.paused = behind;
    if (behind) this.flow?.pause();
    else this.flow?.resume();
  }

  private forgetPassed(): void {
    let slowest = this.dropped + this.chunks.length;
    for (const reader of this.readers) slowest = Math.min(slowest, reader.next);
    const passed = this.chunks.splice(0, slowest - this.dropped);
    this.dropped = slowest;
    for (const chunk of passed) this.heldBytes -= chunk.byteLength;
  }
}

/** One buffer of its own: slices of a shared pool would pin more memory than they are charged. */
function joined(chunks: readonly Buffer[], bytes: number): Buffer {
  const body = Buffer.allocUnsafeSlow(bytes);
  let at = 0;
  for (const chunk of chunks) at += chunk.copy(body, at);
  return body;
}
