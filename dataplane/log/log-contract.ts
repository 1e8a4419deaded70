import { describe, expect, test } from 'vitest';
import { encodeEntry, genesis, peekId, type EncodedEntry } from './entry.ts';
import { LogError } from './log-error.ts';
import type { ReplicatedLog, StoredEntry } from './replicated-log.ts';

/** A fresh log and several clients of it. */
export interface LogUnderTest {
  readonly clients: readonly ReplicatedLog[];
  /** Deletes the log and makes another one under the same name. */
  recreate(): Promise<void>;
}

let counter = 0;
const entry = (text: string, previous = genesis): EncodedEntry =>
  encodeEntry({ kind: 'data', term: 1, writer: `w${counter++}`, time: 1, previous }, [Buffer.from(text)]);
const ids = (entries: readonly StoredEntry[]): string[] => entries.map(({ bytes }) => peekId(bytes));
const timeoutMs = 5_000;
const all = { entries: 1000, bytes: 16 * 1024 * 1024 };

async function fill(log: ReplicatedLog, count: number): Promise<EncodedEntry[]> {
  const entries = Array.from({ length: count }, (_, index) => entry(`entry ${index + 1}`));
  for (const [index, each] of entries.entries()) {
    expect(await log.append(index, each, timeoutMs)).toEqual({ outcome: 'appended', seq: index + 1 });
  }
  return entries;
}

/** Reads a tail until it has given `count` entries. */
async function collect(log: ReplicatedLog, from: number, count: number): Promise<StoredEntry[]> {
  const { created } = await log.extent();
  const stop = new AbortController();
  const found: StoredEntry[] = [];
  for await (const batch of log.tail(from, { signal: stop.signal, created })) {
    found.push(...batch);
    if (found.length >= count) stop.abort();
  }
  return found;
}

/** The promises of {@link ReplicatedLog}, for any implementation. */
export function describeReplicatedLog(name: string, open: () => Promise<LogUnderTest>): void {
  describe(`${name}: append`, () => describeAppend(open));
  describe(`${name}: read`, () => describeRead(open));
  describe(`${name}: tail`, () => describeTail(open));
  describe(`${name}: trim`, () => describeTrim(open));
}

type Open = () => Promise<LogUnderTest>;

async function client(open: Open): Promise<ReplicatedLog> {
  const [log] = (await open()).clients;
  if (log === undefined) throw new Error('no client');
  return log;
}

function describeAppend(open: Open): void {
  test('an empty log has no entries and begins at 1', async () => {
    expect(await (await client(open)).extent()).toMatchObject({ first: 1, last: 0 });
  });

  test('sequences are contiguous from 1', async () => {
    const log = await client(open);
    await fill(log, 3);
    expect(await log.extent()).toMatchObject({ first: 1, last: 3 });
  });

  test('a place that is taken is a conflict, and says by what', async () => {
    const log = await client(open);
    const [first] = await fill(log, 2);
    const outcome = await log.append(0, entry('other'), timeoutMs);
    expect(outcome.outcome).toBe('conflict');
    if (outcome.outcome === 'conflict') expect(ids([outcome.found])).toEqual([first?.id]);
  });

  test('appending the same entry again stores nothing and says where it is', async () => {
    const log = await client(open);
    const [first] = await fill(log, 2);
    expect(await log.append(0, first as EncodedEntry, timeoutMs)).toEqual({ outcome: 'appended', seq: 1 });
    expect(await log.extent()).toMatchObject({ last: 2 });
  });

  test('an entry for a place beyond the end is behind, and not stored', async () => {
    const log = await client(open);
    await fill(log, 1);
    expect(await log.append(5, entry('too early'), timeoutMs)).toEqual({ outcome: 'behind' });
    expect(await log.extent()).toMatchObject({ last: 1 });
  });

  test('of many that want one place exactly one gets it, and the others see it', async () => {
    const { clients } = await open();
    const rivals = Array.from({ length: 12 }, (_, index) => entry(`rival ${index}`));
    const outcomes = await Promise.all(
      rivals.map((rival, index) => (clients[index % clients.length] as ReplicatedLog).append(0, rival, timeoutMs)),
    );
    const winners = outcomes.flatMap(({ outcome }, index) => (outcome === 'appended' ? [rivals[index]?.id] : []));
    expect(winners).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.outcome === 'conflict') expect(ids([outcome.found])).toEqual(winners);
      else expect(outcome.outcome).toBe('appended');
    }
  });

  test('several appends in a row may be under way', async () => {
    const log = await client(open);
    const entries = Array.from({ length: 20 }, (_, index) => entry(`piped ${index}`));
    const outcomes = await Promise.all(entries.map((each, index) => log.append(index, each, timeoutMs)));
    expect(outcomes).toEqual(entries.map((_, index) => ({ outcome: 'appended', seq: index + 1 })));
  });

  test('when one in a row fails, all after it do', async () => {
    const { clients } = await open();
    const [log, rival] = clients as [ReplicatedLog, ReplicatedLog];
    await rival.append(0, entry('rival'), timeoutMs);
    const row = await Promise.all([0, 1, 2].map((at) => log.append(at, entry(`row ${at}`), timeoutMs)));
    // The second fits by accident after the rival's: that is why entries name the entry before them.
    expect(row[0]?.outcome).toBe('conflict');
    for (const { outcome } of row.slice(1)) expect(['appended', 'behind', 'conflict']).toContain(outcome);
  });
}

function describeRead(open: Open): void {
  test('reads what was appended, in order, up to the limit', async () => {
    const log = await client(open);
    const entries = await fill(log, 5);
    expect(ids(await log.read(2, { entries: 3, bytes: all.bytes }))).toEqual(entries.slice(1, 4).map(({ id }) => id));
    expect(ids(await log.read(1, all))).toEqual(entries.map(({ id }) => id));
  });

  test('beyond the end there is nothing', async () => {
    const log = await client(open);
    await fill(log, 1);
    expect(await log.read(2, all)).toEqual([]);
    expect(await log.get(2)).toBeNull();
  });

  test('a limit of bytes gives at least one entry', async () => {
    const log = await client(open);
    await fill(log, 3);
    expect((await log.read(1, { entries: 10, bytes: 1 })).length).toBeGreaterThanOrEqual(1);
  });

  test('the bytes come back as they were', async () => {
    const log = await client(open);
    const binary = encodeEntry({ kind: 'data', term: 1, writer: 'w', time: 1, previous: genesis }, [
      Uint8Array.from({ length: 256 }, (_, index) => index),
    ]);
    await log.append(0, binary, timeoutMs);
    expect(Buffer.compare((await log.get(1))?.bytes ?? new Uint8Array(), binary.bytes)).toBe(0);
    expect(Buffer.compare((await log.read(1, all))[0]?.bytes ?? new Uint8Array(), binary.bytes)).toBe(0);
  });
}

function describeTail(open: Open): void {
  test('gives what is there and what comes, each once, in order', async () => {
    const { clients } = await open();
    const [log, writer] = clients as [ReplicatedLog, ReplicatedLog];
    const before = await fill(writer, 5);
    const tailing = collect(log, 3, 8);
    const later: EncodedEntry[] = [];
    for (let seq = 5; seq < 10; seq++) {
      later.push(entry(`later ${seq}`));
      await writer.append(seq, later.at(-1) as EncodedEntry, timeoutMs);
    }
    const found = await tailing;
    expect(found.map(({ seq }) => seq)).toEqual([3, 4, 5, 6, 7, 8, 9, 10]);
    expect(ids(found)).toEqual([...before.slice(2), ...later].map(({ id }) => id));
  });

  test('ends when it is told to, also while it waits', async () => {
    const log = await client(open);
    const { created } = await log.extent();
    const stop = new AbortController();
    const ended = (async () => {
      for await (const _batch of log.tail(1, { signal: stop.signal, created }));
    })();
    setImmediate(() => stop.abort());
    await ended;
  });

  test('throws recreated when the log is another one, or missing in between', async () => {
    const under = await open();
    const log = under.clients[0] as ReplicatedLog;
    await fill(log, 3);
    const { created } = await log.extent();
    const follow = async (): Promise<void> => {
      const signal = AbortSignal.timeout(20_000);
      for await (const _batch of log.tail(1, { signal, created })) await under.recreate();
    };
    const error: unknown = await follow().catch((error: unknown) => error);
    expect(error).toBeInstanceOf(LogError);
    expect(['recreated', 'missing']).toContain((error as LogError).code);
  });

  test('throws trimmed when what it needs is gone', async () => {
    const log = await client(open);
    await fill(log, 5);
    await log.trim(3);
    await expect(collect(log, 2, 2)).rejects.toMatchObject({ code: 'trimmed' });
  });
}

function describeTrim(open: Open): void {
  test('removes a prefix and nothing else, and sequences go on', async () => {
    const log = await client(open);
    const entries = await fill(log, 5);
    await log.trim(2);
    expect(await log.extent()).toMatchObject({ first: 3, last: 5 });
    expect(ids(await log.read(3, all))).toEqual(entries.slice(2).map(({ id }) => id));
    await expect(log.read(1, all)).rejects.toBeInstanceOf(LogError);
    expect(await log.append(5, entry('next'), timeoutMs)).toEqual({ outcome: 'appended', seq: 6 });
  });

  test('all entries may go; the next sequence stays', async () => {
    const log = await client(open);
    await fill(log, 3);
    await log.trim(3);
    expect(await log.extent()).toMatchObject({ first: 4, last: 3 });
    expect(await log.append(3, entry('next'), timeoutMs)).toEqual({ outcome: 'appended', seq: 4 });
  });
}
