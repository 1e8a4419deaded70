import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Broadcast } from './broadcast.ts';

const listener = () => {
  const frames: string[] = [];
  const buffers: Buffer[] = [];
  return {
    frames,
    buffers,
    sendFrame: (frame: Buffer) => {
      buffers.push(frame);
      frames.push(frame.subarray(frame[1] === 126 ? 4 : 2).toString());
    },
  };
};

describe('a broadcast', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('sends the first line at once and puts the next ones of a window into one frame', () => {
    const broadcast = new Broadcast('room:a', 10);
    const one = listener();
    broadcast.listeners.add(one);
    broadcast.publish('1');
    vi.advanceTimersByTime(0);
    expect(one.frames).toEqual(['{"push":{"channel":"room:a","pub":1}}']);
    for (const line of ['x', 'y', 'z']) broadcast.send(line);
    vi.advanceTimersByTime(9);
    expect(one.frames).toHaveLength(1);
    vi.advanceTimersByTime(2);
    expect(one.frames[1]).toBe('x\ny\nz');
  });

  it('encodes a frame once for all listeners', () => {
    const broadcast = new Broadcast('room:a', 0);
    const [one, two] = [listener(), listener()];
    broadcast.listeners.add(one);
    broadcast.listeners.add(two);
    broadcast.send('x');
    expect(one.buffers[0]).toBe(two.buffers[0]);
  });

  it('gives a new listener nothing of what came before it', () => {
    const broadcast = new Broadcast('room:a', 10);
    const [one, two] = [listener(), listener()];
    broadcast.listeners.add(one);
    broadcast.send('old');
    broadcast.flush();
    broadcast.listeners.add(two);
    broadcast.send('new');
    vi.advanceTimersByTime(20);
    expect(one.frames).toEqual(['old', 'new']);
    expect(two.frames).toEqual(['new']);
  });

  it('does not let a frame grow without end', () => {
    const broadcast = new Broadcast('room:a', 10);
    const one = listener();
    broadcast.listeners.add(one);
    for (let i = 0; i < 30; i++) broadcast.send('x'.repeat(10_000));
    expect(one.frames.length).toBeGreaterThanOrEqual(2);
  });

  it('keeps nothing for a room that nobody hears', () => {
    const broadcast = new Broadcast('room:a', 10);
    broadcast.send('lost');
    const one = listener();
    broadcast.listeners.add(one);
    vi.advanceTimersByTime(20);
    expect(one.frames).toEqual([]);
  });
});
