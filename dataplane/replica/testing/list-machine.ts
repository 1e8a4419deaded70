import type { CommittedEntry, Position, Snapshot, StateMachine } from '../state-machine.ts';

/** A state machine for tests: the list of all operations, as text. Survives its replica, as a disk would. */
export class ListMachine implements StateMachine {
  operations: string[] = [];
  /** Log times of entries, to see that they do not run backwards. */
  times: number[] = [];
  leads: number[] = [];
  restored = 0;
  /** Awaited before each apply. */
  beforeApply: () => Promise<void> = async () => {};
  #position: Position | null = null;

  position(): Position | null {
    return this.#position;
  }

  async apply(entries: readonly CommittedEntry[], position: Position): Promise<void> {
    await this.beforeApply();
    for (const { operations, time } of entries) {
      this.times.push(time);
      for (const operation of operations) this.operations.push(Buffer.from(operation).toString());
    }
    this.#position = position;
  }

  async snapshot(): Promise<Snapshot> {
    const position = this.#position;
    if (position === null) throw new Error('the store is empty');
    const data = Buffer.from(JSON.stringify(this.operations));
    return { position, chunks: piecesOf(data), release: async () => {} };
  }

  async restore(position: Position, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const pieces: Uint8Array[] = [];
    for await (const chunk of chunks) pieces.push(Uint8Array.from(chunk));
    this.operations = JSON.parse(Buffer.concat(pieces).toString()) as string[];
    this.#position = position;
    this.restored += 1;
  }

  lead(term: number): void {
    this.leads.push(term);
  }

  follow(): void {}

  flush: () => Promise<void> = async () => {};

  figures(): Record<string, number> {
    return { operations: this.operations.length };
  }
}

async function* piecesOf(data: Buffer): AsyncIterable<Uint8Array> {
  for (let at = 0; at < data.length; at += 1000) yield data.subarray(at, at + 1000);
}
