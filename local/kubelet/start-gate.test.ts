import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { StartGate } from './start-gate.ts';

describe('start gate', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const enterAll = async (gate: StartGate, count: number) => {
    const entered: number[] = [];
    const leaves = new Map<number, () => void>();
    for (let i = 0; i < count; i += 1) {
      void gate.enter().then((leave) => {
        entered.push(i);
        leaves.set(i, leave);
      });
    }
    await vi.advanceTimersByTimeAsync(0);
    return { entered, leaves };
  };

  it('lets as many in as it may and the others in order when one leaves', async () => {
    const { entered, leaves } = await enterAll(new StartGate(2, 1000), 4);
    expect(entered).toEqual([0, 1]);
    leaves.get(1)?.();
    await vi.advanceTimersByTimeAsync(0);
    expect(entered).toEqual([0, 1, 2]);
  });

  it('counts a leave once, however often it is said', async () => {
    const { entered, leaves } = await enterAll(new StartGate(1, 1000), 3);
    leaves.get(0)?.();
    leaves.get(0)?.();
    await vi.advanceTimersByTimeAsync(0);
    expect(entered).toEqual([0, 1]);
  });

  it('does not wait for ever for a pod that does not get ready', async () => {
    const { entered } = await enterAll(new StartGate(1, 1000), 2);
    await vi.advanceTimersByTimeAsync(1000);
    expect(entered).toEqual([0, 1]);
  });

  it('is empty again after everybody left', async () => {
    const gate = new StartGate(1, 1000);
    const { leaves } = await enterAll(gate, 1);
    leaves.get(0)?.();
    expect((await enterAll(gate, 1)).entered).toEqual([0]);
  });
});
