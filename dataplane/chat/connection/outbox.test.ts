import { describe, expect, it } from 'vitest';
import { Outbox, type FrameSocket } from './outbox.ts';

/** A socket whose peer reads nothing. */
class StuckSocket {
  writableLength = 0;
  destroyed = false;
  writableEnded = false;
  corks = 0;
  readonly written: Buffer[] = [];
  write(frame: Buffer): boolean {
    this.written.push(frame);
    this.writableLength += frame.length;
    return false;
  }
  cork(): void {
    this.corks++;
  }
  uncork(): void {
    this.corks--;
  }
}

const outboxOn = (socket: StuckSocket, max: number) => {
  let slow = 0;
  const outbox = new Outbox(socket as unknown as FrameSocket, max, () => slow++);
  return { outbox, slow: () => slow };
};

describe('an outbox', () => {
  it('gives up a client that reads nothing, once, and buffers no more', () => {
    const socket = new StuckSocket();
    const { outbox, slow } = outboxOn(socket, 1_000);
    for (let i = 0; i < 50; i++) outbox.sendFrame(Buffer.alloc(100));
    expect(slow()).toBe(1);
    expect(socket.writableLength).toBe(1_000);
  });

  it('does not take a client for slow because one reply was large', () => {
    const socket = new StuckSocket();
    const { outbox, slow } = outboxOn(socket, 1_000);
    outbox.sendLine('x'.repeat(5_000));
    outbox.sendFrame(Buffer.alloc(500));
    expect(slow()).toBe(0);
    for (let i = 0; i < 10; i++) outbox.sendFrame(Buffer.alloc(500));
    expect(slow()).toBe(1);
  });

  it('writes the lines of one turn together', async () => {
    const socket = new StuckSocket();
    const { outbox } = outboxOn(socket, 1_000);
    outbox.sendLine('a');
    outbox.sendLine('b');
    expect(socket.corks).toBe(1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(socket.corks).toBe(0);
    expect(socket.written).toHaveLength(2);
  });

  it('sends nothing after it was closed or the socket ended', () => {
    const socket = new StuckSocket();
    const { outbox } = outboxOn(socket, 1_000);
    socket.writableEnded = true;
    outbox.sendLine('a');
    socket.writableEnded = false;
    outbox.close();
    outbox.sendLine('b');
    expect(socket.written).toEqual([]);
  });
});
