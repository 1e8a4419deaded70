import { Frame, readTrusted } from '../resp/frame.ts';
import type { Session } from './session.ts';

/** A command that took long. */
export interface SlowCommand {
  readonly id: number;
  /** When it came, wall clock, milliseconds. */
  readonly at: number;
  readonly micros: number;
  /** Its first arguments, each cut, one character a byte. */
  readonly args: readonly string[];
  readonly address: string;
  readonly name: string;
}

/** A command that is answered later than this is noted, milliseconds. A durable write waits for the log as well. */
const slowMs = 100;
const maxEntries = 128;
const maxArgs = 8;
const maxArgBytes = 64;

const firstArguments = (frame: Frame): string[] =>
  Array.from({ length: Math.min(frame.count, maxArgs) }, (_, i) => frame.key(i).slice(0, maxArgBytes));

/** The last commands that took long at one front end. */
export class SlowLog {
  #entries: SlowCommand[] = [];
  #nextId = 0;

  get length(): number {
    return this.#entries.length;
  }

  /** Up to `count` of them, the newest first. */
  newest(count: number): readonly SlowCommand[] {
    return this.#entries.slice(0, Math.min(count, maxEntries));
  }

  clear(): void {
    this.#entries = [];
  }

  /** Notes a command (in RESP form) that is answered now after `ms` milliseconds, if that is long. */
  note(command: Buffer, ms: number, session: Session): void {
    if (ms < slowMs) return;
    const frame = new Frame();
    readTrusted(frame, command, 0);
    const { address, name } = session;
    const args = firstArguments(frame);
    const entry = { id: this.#nextId++, at: Date.now() - ms, micros: Math.round(ms * 1000), args, address, name };
    this.#entries = [entry, ...this.#entries].slice(0, maxEntries);
  }
}
