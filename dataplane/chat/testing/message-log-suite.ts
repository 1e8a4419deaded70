import { describe, expect, it } from 'vitest';
import type { MessageLog } from '../store/message-log.ts';

/** A log under test, and names of rooms that were never used and share a stream. */
export interface LogUnderTest {
  readonly log: MessageLog;
  newRoom(): string;
}

export const allMessages = { messages: 10_000, bytes: 100_000_000 };
export const everything = { after: 0, upTo: Number.MAX_SAFE_INTEGER };
export const sequencesOf = (publications: readonly { seq: number }[]): number[] => publications.map(({ seq }) => seq);

let ids = 0;

/** Appends messages to a room; returns their sequences. */
export const fill = async (log: MessageLog, room: string, count: number): Promise<number[]> => {
  const sequences: number[] = [];
  for (let i = 0; i < count; i++) {
    const { seq } = await log.append(room, `message-${ids++}`, JSON.stringify({ data: { content: String(i) } }));
    sequences.push(seq);
  }
  return sequences;
};

const storing = (subject: () => LogUnderTest): void => {
  it('stores a message with an id once and says so', async () => {
    const { log, newRoom } = subject();
    const room = newRoom();
    const first = await log.append(room, `same-in-${room}`, '{"data":1}');
    expect(first.duplicate).toBe(false);
    expect(await log.append(room, `same-in-${room}`, '{"data":1}')).toEqual({ seq: first.seq, duplicate: true });
  });

  it('knows a position that everything stored is at or below, and everything later above', async () => {
    const { log, newRoom } = subject();
    const room = newRoom();
    const empty = await log.position(room);
    const [seq = 0] = await fill(log, room, 1);
    expect(seq).toBeGreaterThan(empty.top);
    expect(await log.position(room)).toEqual({ epoch: empty.epoch, top: seq });
  });

  it('leaves out what is not ours', async () => {
    const { log, newRoom } = subject();
    const room = newRoom();
    const [first] = await fill(log, room, 1);
    await log.append(room, `foreign-in-${room}`, 'not JSON');
    const [second] = await fill(log, room, 1);
    expect(sequencesOf((await log.read(room, everything, allMessages)).publications)).toEqual([first, second]);
  });

  it('has no floor where nothing was removed', async () => {
    const { log, newRoom } = subject();
    expect(await log.floor(newRoom())).toBe(0);
  });
};

const reading = (subject: () => LogUnderTest): void => {
  it('reads exactly a range of one room among others, and says when bounds cut it off', async () => {
    const { log, newRoom } = subject();
    const [room, other] = [newRoom(), newRoom()];
    const mine: number[] = [];
    for (let i = 0; i < 30; i++) {
      await fill(log, other, i % 4);
      mine.push(...(await fill(log, room, 1)));
    }
    const range = { after: mine[9] ?? 0, upTo: mine[25] ?? 0 };
    const page = await log.read(room, range, allMessages);
    expect(sequencesOf(page.publications)).toEqual(mine.slice(10, 26));
    expect(page.complete).toBe(true);
    const cut = await log.read(room, range, { messages: 5, bytes: 1_000_000 });
    expect(sequencesOf(cut.publications)).toEqual(mine.slice(10, 15));
    expect(cut.complete).toBe(false);
    expect((await log.read(room, range, { messages: 100, bytes: 1 })).publications).toHaveLength(1);
    expect((await log.read(room, everything, { messages: 30, bytes: 1_000_000 })).complete).toBe(true);
  });

  it('reads the last messages before a sequence', async () => {
    const { log, newRoom } = subject();
    const [room, other] = [newRoom(), newRoom()];
    const mine: number[] = [];
    for (let i = 0; i < 30; i++) {
      await fill(log, other, i % 3);
      mine.push(...(await fill(log, room, 1)));
    }
    const asked = [
      [1e9, 3],
      [mine[20] ?? 0, 7],
      [mine[3] ?? 0, 10],
      [1e9, 1_000],
      [mine[0] ?? 0, 5],
    ] as const;
    for (const [before, count] of asked) {
      const expected = mine.filter((seq) => seq < before).slice(-count);
      expect(sequencesOf(await log.readLast(room, before, count))).toEqual(expected);
    }
  });
};

/** What every {@link MessageLog} promises. */
export const messageLogSuite = (name: string, subject: () => LogUnderTest): void => {
  describe(`the message log ${name}`, () => {
    storing(subject);
    reading(subject);
  });
};
