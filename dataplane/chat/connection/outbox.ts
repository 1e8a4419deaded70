import type { Writable } from 'node:stream';
import { textFrame } from './text-frame.ts';

/** The socket below a WebSocket, as far as sending needs it. */
export type FrameSocket = Pick<
  Writable,
  'write' | 'writableLength' | 'cork' | 'uncork' | 'destroyed' | 'writableEnded'
>;

/**
 * Sends frames to one client in the order of the calls, without waiting. What the client does not read is buffered up
 * to a bound; beyond it the client is given up, so that it holds up nobody and takes no more memory.
 */
export class Outbox {
  readonly #socket: FrameSocket;
  readonly #maxUnsentBytes: number;
  readonly #onSlow: () => void;
  #open = true;
  #corked = false;
  /** What single large replies added: a client is not slow because a recovery was large. */
  #allowance = 0;

  constructor(socket: FrameSocket, maxUnsentBytes: number, onSlow: () => void) {
    this.#socket = socket;
    this.#maxUnsentBytes = maxUnsentBytes;
    this.#onSlow = onSlow;
  }

  /** Sends a line of the protocol as a frame of its own. Lines of one turn of the event loop leave in one write. */
  sendLine(line: string): void {
    if (!this.#open) return;
    const frame = textFrame(line);
    if (!this.#corked) {
      this.#corked = true;
      this.#socket.cork();
      process.nextTick(() => {
        this.#corked = false;
        this.#socket.uncork();
      });
    }
    if (frame.length > this.#maxUnsentBytes / 2) this.#allowance += frame.length;
    this.sendFrame(frame);
  }

  /** Sends a frame that may be shared with other clients; it must not change afterwards. */
  sendFrame(frame: Buffer): void {
    const socket = this.#socket;
    if (!this.#open || socket.destroyed || socket.writableEnded) return;
    const unsent = socket.writableLength;
    if (unsent === 0) this.#allowance = Math.min(this.#allowance, frame.length);
    if (unsent + frame.length > this.#maxUnsentBytes + this.#allowance) {
      this.#open = false;
      this.#onSlow();
      return;
    }
    socket.write(frame);
  }

  /** Sends nothing more. */
  close(): void {
    this.#open = false;
  }
}
