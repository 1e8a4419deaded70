import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { memoryReplica, type MemoryReplica } from '../../replica/testing/memory-replica.ts';
import { answerStatus, decodeAnswers, sequenceOf } from '../batch/answer-batch.ts';
import { inEpoch } from '../batch/epoch.ts';
import { encodeRequests, encodeTransaction, requestKind, type BatchedRequest } from '../batch/request-batch.ts';
import { KeyValueMachine } from '../machine.ts';
import { encodeCommand } from '../resp/frame.ts';
import { Store } from '../store/store.ts';
import { EffectWriter } from '../store/effects.ts';
import { encodeRange, everything, rangeNote, type KeyRange } from '../store/key-range.ts';
import { Executor } from './executor.ts';
import { encodeStale } from './stale-reader.ts';
import type { Requester } from './requester.ts';

let dir: string;
let store: Store;
let replica: MemoryReplica;
let executor: Executor;
let now: number;

/** A gateway that writes down what it is answered: `id: reply`, or `id: ?text` refused, `id: !text` unknown. */
class Gateway implements Requester {
  epoch = 0;
  refusedEpoch = 0;
  readonly answers: string[] = [];
  readonly sequences: number[] = [];
  #nextId = 1;

  send(message: Buffer): void {
    this.sequences.push(sequenceOf(message));
    const marks: Record<number, string> = {
      [answerStatus.reply]: '',
      [answerStatus.refused]: '?',
      [answerStatus.unknown]: '!',
      [answerStatus.moved]: '>',
    };
    for (const { id, status, bytes } of decodeAnswers(message))
      this.answers.push(`${id}: ${marks[status]}${bytes.toString().trim()}`);
  }

  ask(
    epoch: number,
    ...requests: (string | { transaction: string[]; watch?: { key: string; version: number }[] })[]
  ): void {
    const batch: BatchedRequest[] = requests.map((request) => {
      const id = this.#nextId++;
      if (typeof request === 'string') return { id, kind: 0, payload: encodeCommand(request.split(' ')) };
      const commands = request.transaction.map((command) => encodeCommand(command.split(' ')));
      return { id, kind: requestKind.transaction, payload: encodeTransaction(request.watch ?? [], commands) };
    });
    executor.handle(this, encodeRequests(epoch, batch));
  }
}

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'quartet-executor-'));
  store = new Store(dir);
  now = 1_000_000;
  const machine = new KeyValueMachine(store);
  replica = memoryReplica(machine, { now: () => now });
  executor = new Executor({ store, replica, now: () => now });
  machine.serve(executor);
});

afterEach(async () => {
  await replica.idle();
  await store.close();
  rmSync(dir, { recursive: true, force: true });
});

const settled = async (): Promise<void> => {
  await new Promise((resolve) => setImmediate(resolve));
  await replica.idle();
  await new Promise((resolve) => setImmediate(resolve));
};

describe('replies leave when they are final', () => {
  test('a write is answered only once it is committed', async () => {
    const gateway = new Gateway();
    const release = replica.hold();
    gateway.ask(1, 'SET a 1');
    await new Promise((resolve) => setImmediate(resolve));
    expect(gateway.answers).toEqual([]);
    release();
    await settled();
    expect(gateway.answers).toEqual(['1: +OK']);
  });

  test('a read of a key in flight waits for it, a read of another key does not', async () => {
    const gateway = new Gateway();
    gateway.ask(1, 'SET b 5');
    await settled();
    const release = replica.hold();
    gateway.ask(1, 'SET a 1', 'GET a', 'GET b', 'INCR a');
    await new Promise((resolve) => setImmediate(resolve));
    expect(gateway.answers).toEqual(['1: +OK', '4: $1\r\n5']);
    release();
    await settled();
    expect(gateway.answers.slice(2)).toEqual(['2: +OK', '3: $1\r\n1', '5: :2']);
  });

  test('a conditional write that depends on one in flight shares its fate', async () => {
    const gateway = new Gateway();
    const release = replica.hold();
    gateway.ask(1, 'SET a 1');
    await new Promise((resolve) => setImmediate(resolve));
    gateway.ask(1, 'SETNX a 2');
    await new Promise((resolve) => setImmediate(resolve));
    expect(gateway.answers).toEqual([]);
    release();
    await settled();
    expect(gateway.answers).toEqual(['1: +OK', '2: :0']);
  });

  test('all writes of one turn are one operation', async () => {
    const gateway = new Gateway();
    gateway.ask(1, 'SET a 1', 'SET b 2');
    new Gateway().ask(1, 'SET c 3');
    await settled();
    expect(replica.applied).toBe(1);
    expect(gateway.sequences).toEqual([1]);
  });
});

describe('failures', () => {
  test('an unknown outcome is said to be unknown to writers, and readers are asked to try again', async () => {
    const gateway = new Gateway();
    replica.failNext('unknown-outcome');
    gateway.ask(1, 'SET a 1', 'GET a');
    await settled();
    expect(gateway.answers[0]).toMatch(/^1: !the outcome is not known/);
    expect(gateway.answers[1]).toMatch(/^2: \?/);
  });

  test('after a refusal everything later of that epoch is refused, so that order is kept', async () => {
    const gateway = new Gateway();
    replica.stepDown();
    gateway.ask(1, 'SET a 1');
    replica.promote();
    gateway.ask(1, 'SET a 2');
    gateway.ask(2, 'SET a 3');
    await settled();
    expect(gateway.answers.map((answer) => answer.slice(0, 4))).toEqual(['1: ?', '2: ?', '3: +']);
    expect(store.get('a')?.value.toString()).toBe('3');
  });

  test('a primary that steps down refuses what is in flight and forgets it', async () => {
    const gateway = new Gateway();
    replica.hold();
    gateway.ask(1, 'SET a 1');
    await new Promise((resolve) => setImmediate(resolve));
    replica.stepDown();
    await new Promise((resolve) => setImmediate(resolve));
    expect(gateway.answers[0]).toMatch(/^1: \?/);
    replica.promote();
    gateway.ask(2, 'GET a');
    await new Promise((resolve) => setImmediate(resolve));
    expect(gateway.answers[1]).toBe('2: $-1');
  });

  test('a full log is an error that says so, and what built on the failed write is tried again', async () => {
    const gateway = new Gateway();
    const release = replica.hold();
    replica.failNext('log-full');
    gateway.ask(1, 'SET a 1', 'GET a');
    await new Promise((resolve) => setImmediate(resolve));
    gateway.ask(1, 'GET a');
    release();
    await settled();
    expect(gateway.answers[0]).toMatch(/^1: -OOM/);
    expect(gateway.answers.slice(1).map((answer) => answer.slice(0, 4))).toEqual(['2: ?', '3: ?']);
    expect(store.get('a')).toBeUndefined();
  });

  test('a request that finds no room takes the rest of its batch with it, even what would fit', async () => {
    executor = new Executor({
      store,
      now: () => now,
      replica: {
        leading: true,
        mayRead: () => true,
        applied: 0,
        refusal: (bytes) => (bytes > 5_000 ? 'overloaded' : null),
        propose: (operation) => replica.propose(operation),
        readBarrier: () => replica.readBarrier(),
      },
    });
    const gateway = new Gateway();
    gateway.ask(1, 'SET a 1', `SET a ${'x'.repeat(6_000)}`, 'SET a 3');
    await settled();
    expect(gateway.answers.map((answer) => answer.slice(0, 4)).sort()).toEqual(['1: +', '2: ?', '3: ?']);
    expect(store.get('a')?.value.toString()).toBe('1');
  });

  test('a malformed command is an error reply, not a crash', async () => {
    const gateway = new Gateway();
    gateway.ask(1, 'NOPE', 'INCRBY a x', 'SET a 1');
    await settled();
    expect(gateway.answers.map((answer) => answer.slice(0, 7)).sort()).toEqual(['1: -ERR', '2: -ERR', '3: +OK']);
  });
});

describe('transactions', () => {
  const versionOf = (key: string): number => store.get(key)?.version ?? 0;

  test('a watched key with its version lets it through; any change, even uncommitted, stops it', async () => {
    const gateway = new Gateway();
    gateway.ask(1, 'SET a 1');
    await settled();
    const watch = [{ key: 'a', version: versionOf('a') }];
    gateway.ask(1, { transaction: ['INCR a'], watch });
    gateway.ask(1, { transaction: ['INCR a'], watch });
    await settled();
    expect(gateway.answers.slice(1)).toEqual(['2: *1\r\n:2', '3: *-1']);
    expect(store.get('a')?.value.toString()).toBe('2');
  });

  test('one that would write more than an entry holds does nothing at all', async () => {
    const gateway = new Gateway();
    const large = 'x'.repeat(1_000_000);
    gateway.ask(1, { transaction: ['SET a 1', `SET b ${large}`, ...Array.from({ length: 5 }, () => 'APPEND b y')] });
    await settled();
    expect(gateway.answers[0]).toMatch(/^1: -ERR one atomic request may write at most/);
    expect(store.get('a')).toBeUndefined();
    gateway.ask(1, 'SET a 2');
    await settled();
    expect(store.get('a')?.value.toString()).toBe('2');
  });
});

describe('a read of the whole shard', () => {
  test('is refused, for another member to answer, when the store fails', async () => {
    const gateway = new Gateway();
    gateway.ask(1, 'SET a 1');
    await settled();
    const flush = vi.spyOn(store, 'flush').mockRejectedValueOnce(new Error('Input/output error'));
    gateway.ask(1, 'DBSIZE');
    await settled();
    expect(gateway.answers.slice(1)).toEqual(['2: ?the store of this member failed']);
    flush.mockRestore();
    gateway.ask(2, 'DBSIZE');
    await vi.waitFor(() => expect(gateway.answers.at(-1)).toBe('3: :1'));
  });
});

describe('expiry', () => {
  test('a key is gone for readers at its time, and leaves the store through the log', async () => {
    const gateway = new Gateway();
    gateway.ask(1, 'SET a 1 PX 100', 'SET b 1 PX 100', 'PERSIST b');
    await settled();
    now += 100;
    gateway.ask(1, 'GET a', 'GET b', 'TTL a');
    await settled();
    expect(gateway.answers.slice(3)).toEqual(['4: $-1', '5: $1\r\n1', '6: :-2']);
    expect(store.get('a')).toBeDefined();
    await store.flush();
    expect(executor.expire()).toBe(false);
    await settled();
    expect(store.get('a')).toBeUndefined();
    expect(store.get('b')).toBeDefined();
    expect(replica.applied).toBe(2);
  });

  test('a clock that goes back does not bring keys back to life', async () => {
    const gateway = new Gateway();
    gateway.ask(1, 'SET a 1 PX 100');
    await settled();
    now += 200;
    gateway.ask(1, 'SET b 1');
    await settled();
    now -= 1_000;
    gateway.ask(1, 'GET a');
    expect(gateway.answers.at(-1)).toBe('3: $-1');
  });
});

type Model = (values: Map<string, string>, key: string, value: string) => string;

/** Redis' behaviour on strings in a few lines, for comparison. */
const models: Readonly<Record<string, Model>> = {
  GET: (values, key) => (values.has(key) ? `$${values.get(key)?.length}\r\n${values.get(key)}` : '$-1'),
  DEL: (values, key) => (values.delete(key) ? ':1' : ':0'),
  SET: (values, key, value) => {
    values.set(key, value);
    return '+OK';
  },
  SETNX: (values, key, value) => {
    if (values.has(key)) return ':0';
    values.set(key, value);
    return ':1';
  },
  INCR: (values, key) => {
    const counted = Number(values.get(key) ?? 0) + 1;
    if (Number.isNaN(counted)) return '-ERR value is not an integer or out of range';
    values.set(key, String(counted));
    return `:${counted}`;
  },
  APPEND: (values, key, value) => {
    values.set(key, `${values.get(key) ?? ''}${value}`);
    return `:${values.get(key)?.length}`;
  },
};

const model = (values: Map<string, string>, command: string): string => {
  const [name = '', key = '', value = ''] = command.split(' ');
  return models[name]?.(values, key, value) ?? '';
};

test('any requests in any batches answer and leave what they would one after another', async () => {
  const key = fc.constantFrom('a', 'b', 'c');
  const command = fc.oneof(
    fc.tuple(fc.constantFrom('GET', 'DEL', 'INCR'), key).map((words) => words.join(' ')),
    fc.tuple(fc.constantFrom('SET', 'SETNX'), key, fc.constantFrom('1', 'x')).map((words) => words.join(' ')),
    key.map((name) => `APPEND ${name} z`),
  );
  const batches = fc.array(
    fc.record({ commands: fc.array(command, { minLength: 1, maxLength: 6 }), pause: fc.boolean() }),
    { maxLength: 12 },
  );
  await fc.assert(
    fc.asyncProperty(batches, async (plan) => {
      const [gateway, values, expected] = [new Gateway(), new Map<string, string>(), new Map<number, string>()];
      gateway.ask(1, 'FLUSHALL');
      let id = 2;
      for (const { commands, pause } of plan) {
        for (const each of commands) expected.set(id++, model(values, each));
        gateway.ask(1, ...commands);
        if (pause) await settled();
      }
      await settled();
      const answered = new Map(
        gateway.answers.slice(0).map((answer) => [Number(answer.split(':')[0]), answer.slice(answer.indexOf(' ') + 1)]),
      );
      answered.delete(1);
      expect([...answered].sort(([a], [b]) => a - b)).toEqual([...expected]);
      for (const name of ['a', 'b', 'c']) expect(store.get(name)?.value.toString()).toBe(values.get(name));
    }),
    { numRuns: 60 },
  );
});

describe('reads of the shard that are carried out later', () => {
  const asked = (epoch: number, ...words: string[]): BatchedRequest => ({
    id: epoch,
    ...inEpoch({ kind: 0, payload: encodeCommand(words) }, epoch),
  });
  const answersTo = async (...requests: BatchedRequest[]): Promise<string[]> => {
    const gateway = new Gateway();
    executor.handle(gateway, encodeRequests(1, requests));
    await answered(gateway, requests.length);
    return gateway.answers;
  };
  /** Reads of the file come once it is written. */
  const answered = (gateway: Gateway, count: number): Promise<void> =>
    vi.waitFor(() => expect(gateway.answers.length).toBeGreaterThanOrEqual(count), { interval: 1 });
  /** Another range, as a split would write it. */
  const change = async (range: KeyRange): Promise<void> => {
    const writer = new EffectWriter();
    writer.note(rangeNote, encodeRange(range));
    await replica.propose(writer.take());
    executor.takeRange();
  };
  const half: KeyRange = { ...everything, end: 'm', epoch: 1 };

  test('several that become final together are each answered their own', async () => {
    const gateway = new Gateway();
    gateway.ask(1, 'SET a 1', 'SET b 2');
    await settled();
    gateway.ask(1, 'QRANGE a b', 'QRANGE b c', 'QVERSIONS nothing');
    await settled();
    expect(gateway.answers.slice(2, 4)).toEqual([
      '3: *1\r\n*2\r\n$1\r\na\r\n$1\r\n1',
      '4: *1\r\n*2\r\n$1\r\nb\r\n$1\r\n2',
    ]);
  });

  test.each([
    ['DBSIZE'],
    ['KEYS', '*'],
    ['RANDOMKEY'],
    ['QSCAN', '-', '10', '*', ''],
    ['QRANGE', '', ''],
    ['FLUSHALL'],
  ])('%s holds in the epoch of the range alone, and an asker that names none means the first', async (...words) => {
    expect((await answersTo(asked(0, ...words)))[0]).not.toMatch(/^\d: >/);
    expect(await answersTo(asked(1, ...words))).toEqual(['1: >the range of this shard is another one']);
    await change(half);
    expect(await answersTo(asked(0, ...words))).toEqual(['0: >the range of this shard is another one']);
    expect((await answersTo(asked(1, ...words)))[0]).not.toMatch(/^\d: >/);
    expect(await answersTo(asked(2, ...words))).toEqual(['2: >the range of this shard is another one']);
  });

  test('a transaction on all keys of a shard holds in the epoch of the range alone, too', async () => {
    const clearing = (epoch: number): BatchedRequest => {
      const payload = encodeTransaction([], [encodeCommand(['FLUSHALL']), encodeCommand(['SET', 'a', '1'])]);
      return { id: epoch, ...inEpoch({ kind: requestKind.transaction, payload }, epoch) };
    };
    expect((await answersTo(clearing(0)))[0]).not.toMatch(/^\d: >/);
    expect(await answersTo(clearing(1))).toEqual(['1: >the range of this shard is another one']);
    await change(half);
    expect(await answersTo(clearing(0))).toEqual(['0: >the range of this shard is another one']);
    expect((await answersTo(clearing(1)))[0]).not.toMatch(/^\d: >/);
    expect((await answersTo(asked(1, 'DBSIZE')))[0]).toMatch(/:1/);
  });

  test('one that meets a hand-over while it waits is refused', async () => {
    const gateway = new Gateway();
    gateway.ask(1, 'SET a 1', 'SET z 1');
    await settled();
    const release = replica.hold();
    gateway.ask(1, 'SET b 1', 'DBSIZE', 'QVERSIONS z');
    await new Promise((resolve) => setImmediate(resolve));
    void executor.inOrder(({ state, gate }) => {
      state.setNote(rangeNote, encodeRange(half));
      gate.range = half;
    });
    release();
    await answered(gateway, 5);
    expect(gateway.answers.slice(2).sort()).toEqual([
      '3: +OK',
      '4: >the range of this shard is another one',
      '5: >the range of this shard is another one',
    ]);
  });

  test('any member refuses stale reads of what is another shard’s by now, though it still lies there', async () => {
    const gateway = new Gateway();
    gateway.ask(1, 'SET a 1', 'SET z 1');
    await settled();
    await change(half);
    replica.stepDown();
    const stale = async (epoch: number, ...words: string[]): Promise<string | undefined> => {
      const { kind, payload } = asked(epoch, ...words);
      const [answer] = await answersTo({ id: 1, kind: kind | requestKind.stale, payload: encodeStale(0, payload) });
      return answer;
    };
    expect(store.get('z')).toBeDefined();
    expect(await stale(0, 'GET', 'a')).toBe('1: $1\r\n1');
    expect(await stale(0, 'GET', 'z')).toMatch(/^1: >/);
    expect(await stale(0, 'QREAD', 'a', 'z')).toMatch(/^1: >/);
    expect(await stale(0, 'QROWS', '', '', '10', '0')).toMatch(/^1: >/);
    expect(await stale(1, 'QROWS', '', '', '10', '0')).toMatch(/^1: \*1\r\n/);
  });
});
