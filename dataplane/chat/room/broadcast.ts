import { textFrame } from '../connection/text-frame.ts';

/** A connection that hears a room. */
export interface Listener {
  /** Sends a finished frame; never waits, never throws. */
  sendFrame(frame: Buffer): void;
}

/** A frame is sent at this size without waiting for more lines. */
const maxFrameBytes = 128 * 1024;

/**
 * Sends lines to all listeners of a room. The first line after a pause leaves at once; lines that follow within the
 * window share a frame. A frame is encoded once for all listeners.
 */
export class Broadcast {
  readonly listeners = new Set<Listener>();
  readonly #windowMs: number;
  readonly #channelPrefix: string;
  #lines: string[] = [];
  #bytes = 0;
  #flushedAt = -Infinity;
  #immediate: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** `windowMs` 0 sends a frame for each line. */
  constructor(channel: string, windowMs: number) {
    this.#windowMs = windowMs;
    this.#channelPrefix = `{"push":{"channel":${JSON.stringify(channel)},"pub":`;
  }

  /** Sends a publication, given as JSON text. */
  publish(json: string): void {
    this.send(`${this.#channelPrefix}${json}}}`);
  }

  /** Sends a line of the protocol. */
  send(line: string): void {
    if (this.listeners.size === 0) return;
    this.#lines.push(line);
    this.#bytes += line.length;
    if (this.#windowMs === 0 || this.#bytes >= maxFrameBytes) this.flush();
    else this.#schedule();
  }

  /** Sends what waits. Called before a listener is added, so that the new one does not get it. */
  flush(): void {
    this.#unschedule();
    if (this.#lines.length === 0) return;
    const frame = textFrame(this.#lines.join('\n'));
    this.#lines = [];
    this.#bytes = 0;
    this.#flushedAt = performance.now();
    for (const listener of this.listeners) listener.sendFrame(frame);
  }

  /** Sends nothing more. */
  close(): void {
    this.#unschedule();
    this.#lines = [];
    this.listeners.clear();
  }

  #schedule(): void {
    if (this.#immediate !== undefined || this.#timer !== undefined) return;
    const wait = this.#flushedAt + this.#windowMs - performance.now();
    if (wait > 0) this.#timer = setTimeout(() => this.flush(), wait);
    else this.#immediate = setImmediate(() => this.flush());
  }

  #unschedule(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    this.#timer = undefined;
    this.#immediate = undefined;
  }
}
