import { afterEach, beforeEach, expect, test } from 'vitest';
import { logSubject } from '../../contract/subjects.ts';
import { NumberingClient, ProcessSet, set } from './testing/process-set.ts';
import { trimAbove, trimMargin } from './trim.ts';

const members = ['list-a', 'list-b', 'list-c'] as const;

let it: ProcessSet;
beforeEach(async () => {
  it = await ProcessSet.start(members);
});
afterEach(() => it.stop());

/** Entries that are not of ours: every replica passes over them, and they count for the length of the log. */
async function lengthen(count: number): Promise<void> {
  const several = 250;
  for (let done = 0; done < count; done += several) {
    await Promise.all(
      Array.from({ length: several }, () => it.pod.nats.request(logSubject(set), 'foreign', { timeout: 30_000 })),
    );
  }
}

test(
  'a long log is trimmed behind its slowest live member, and one that was away is rebuilt while the shard serves',
  { timeout: 400_000 },
  async () => {
    expect(await it.control('list-a', { type: 'promote', term: 1 })).toMatchObject({ ok: true });
    const early = new NumberingClient(it, members, 'early');
    early.start();
    await it.until('writes', () => early.acknowledged.size > 1_000);
    await early.stop();
    await it.kill('list-c');
    await lengthen(trimAbove.entries);
    const late = new NumberingClient(it, members, 'late');
    late.start();
    const trimmed = async (): Promise<boolean> => (await it.streamInfo()).state.first_seq > 1;
    await it.until('the log is trimmed', trimmed, 180_000);
    const { state } = await it.streamInfo();
    const slowest = Math.min(...['list-a', 'list-b'].map((name) => it.state(name)?.applied ?? 0));
    expect(state.first_seq).toBeLessThanOrEqual(slowest - trimMargin + 1);
    expect(state.first_seq).toBeGreaterThan(trimAbove.entries / 2);
    const before = late.acknowledged.size;
    it.spawn('list-c');
    await it.until('it follows again', () => it.state('list-c')?.state === 'following');
    await it.until('writes went on', () => late.acknowledged.size > before + 200);
    await late.stop();
    const operations = await it.agreed(members);
    const nothing = { lost: [], twice: [], unexpected: [] };
    expect([early.verify(operations), late.verify(operations)]).toEqual([nothing, nothing]);
    expect((await it.contents('list-c')).restored).toBe(1);
  },
);
