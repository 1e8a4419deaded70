/** Time between two looks (ms), and how long a stall is remembered. */
const tickMs = 100;
const rememberMs = 500;

/**
 * Notices when this process stood still (a long computation, a starved machine): messages that came meanwhile are
 * unread, so their senders only seem to be silent.
 */
export class StallWatch {
  private lastTick = performance.now();
  private stall = { ms: 0, endedAt: -Infinity };
  private readonly timer = setInterval(() => this.tick(), tickMs).unref();

  /** Length of a stall that ended just now, or goes on; 0 when there was none. */
  stalledMs(): number {
    const now = performance.now();
    const current = now - this.lastTick - tickMs;
    const past = now - this.stall.endedAt < rememberMs ? this.stall.ms : 0;
    return Math.max(0, current, past);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private tick(): void {
    const now = performance.now();
    const late = now - this.lastTick - tickMs;
    if (late > tickMs) this.stall = { ms: late, endedAt: now };
    this.lastTick = now;
  }
}
