import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { memoryReplica, type MemoryReplica } from '../../replica/testing/memory-replica.ts';
import { answerStatus, decodeAnswers, sequenceOf } from '../batch/answer-batch.ts';
import { encodeRequests, requestKind } from '../batch/request-batch.ts';
import { KeyValueMachine } from '../machine.ts';
import { Executor } from '../member/executor.ts';
import type { Requester } from '../member/requester.ts';
import { encodeCommand } from '../resp/frame.ts';
import { encodeError } from '../resp/reply-writer.ts';
import { Store } from '../store/store.ts';
import { coordinate, type Part, type SendStep, type ShardAnswer } from './coordinator.ts';
import { Recovery } from './recovery.ts';
import { isOrdered } from './step.ts';

/** A shard without a log: store, executor, and a recovery whose clock the test moves. */
class Shard {
  readonly name: string;
  readonly store: Store;
  readonly replica: MemoryReplica;
  readonly executor: Executor;
  readonly recovery: Recovery;

  constructor(dir: string, name: string, world: World) {
    this.name = name;
    this.store = new Store(join(dir, name));
    const machine = new KeyValueMachine(this.store);
    this.replica = memoryReplica(machine);
    this.executor = new Executor({ store: this.store, replica: this.replica, now: Date.now });
    machine.serve(this.executor);
    this.recovery = new Recovery({
      shard: name,
      leading: () => this.replica.leading,
      notes: () => this.store.notes,
      send: (shard, payload) => world.deliver(shard, payload),
      now: () => world.now,
    });
  }

  /** Another member leads: all that is not in the log is gone. */
  failOver(): void {
    this.replica.stepDown();
    this.replica.promote();
  }

  /** Sends one request, as a gateway of its own. A refusal is an error reply. */
  ask(kind: number, payload: Buffer): Promise<ShardAnswer> {
    return new Promise((resolve) => {
      const send = (message: Buffer): void => {
        for (const { status, bytes } of decodeAnswers(message)) resolve(answered(status, bytes, sequenceOf(message)));
      };
      const from: Requester = { epoch: 0, refusedEpoch: 0, send };
      this.executor.handle(from, encodeRequests(1, [{ id: 1, kind, payload }]));
    });
  }
}

const answered = (status: number, bytes: Buffer, sequence: number): ShardAnswer => {
  if (status === answerStatus.reply) return { reply: Buffer.from(bytes), sequence };
  const code = status === answerStatus.unknown ? 'UNKNOWN' : 'TRYAGAIN';
  return { reply: encodeError(`${code} ${bytes.toString()}`), sequence };
};

const never = new Promise<never>(() => {});

class World {
  now = 0;
  readonly #dir = mkdtempSync(join(tmpdir(), 'quartet-two-phase-'));
  readonly shards: Shard[];

  constructor(names: readonly string[]) {
    this.shards = names.map((name) => new Shard(this.#dir, name, this));
  }

  shard(name: string): Shard {
    const found = this.shards.find((each) => each.name === name);
    if (!found) throw new Error(`no shard ${name}`);
    return found;
  }

  deliver(shard: string, payload: Buffer): Promise<ShardAnswer> {
    return this.shard(shard).ask(requestKind.step, payload);
  }

  async command(shard: string, ...args: string[]): Promise<string> {
    const { reply } = await this.shard(shard).ask(0, encodeCommand(args));
    return reply.toString().trim().replaceAll('\r\n', ' ');
  }

  get locked(): number {
    return this.shards.reduce((sum, { executor }) => sum + executor.load.locked, 0);
  }

  /** Every primary looks once, long after it looked last: the anchors last, or first. */
  async takeOver(anchorsLast: boolean): Promise<void> {
    this.now += 10_000;
    for (const { recovery } of anchorsLast ? this.shards.toReversed() : this.shards) await recovery.look();
  }

  /** Lets recovery work until nothing of any transaction is left. */
  async recover(): Promise<void> {
    for (let i = 0; i < 20; i++) {
      await this.takeOver(i % 2 === 0);
      if (this.shards.every(({ store }) => [...store.notes.keys()].every((name) => !name.startsWith('txn:')))) return;
    }
    throw new Error('something of a transaction stays for ever');
  }

  async stop(): Promise<void> {
    for (const { replica, store } of this.shards) {
      await replica.idle();
      await store.close();
    }
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

const names = ['a', 'b', 'c'];

/** Takes 1 from the account in one shard and gives it to that of each other. */
const transfer = (shards: readonly string[]): Part[] =>
  shards.map((shard, i) => ({
    shard,
    watched: [],
    commands: [encodeCommand(['INCRBY', 'account', i === 0 ? String(1 - shards.length) : '1'])],
  }));

/** What happens at one step of a coordinator. */
type Fate =
  | 'arrives'
  | 'lost'
  | 'answer lost'
  | 'coordinator dies before'
  | 'coordinator dies after'
  | 'failover after'
  | 'taken over before';

const fates: fc.Arbitrary<Fate> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Fate>('arrives') },
  { weight: 1, arbitrary: fc.constantFrom<Fate>('lost', 'answer lost', 'failover after', 'taken over before') },
  { weight: 2, arbitrary: fc.constantFrom<Fate>('coordinator dies before', 'coordinator dies after') },
);

const unknown: ShardAnswer = { reply: encodeError('UNKNOWN lost'), sequence: 0 };
const lost: ShardAnswer = { reply: encodeError('TRYAGAIN lost'), sequence: 0 };

/** A step that is delivered, whatever becomes of its answer. */
const delivered = async (world: World, fate: Fate, shard: string, payload: Buffer): Promise<ShardAnswer> => {
  const answer = await world.deliver(shard, payload);
  if (fate === 'failover after') world.shard(shard).failOver();
  return fate === 'answer lost' ? unknown : answer;
};

/** Sends the steps of one coordinator through its fates. */
const faulty = (world: World, script: readonly Fate[]): SendStep => {
  let step = 0;
  let dead = false;
  return async (shard, payload) => {
    const fate = script[step++] ?? 'arrives';
    dead ||= fate === 'coordinator dies before';
    if (dead) return never;
    if (fate === 'lost') return isOrdered(payload) ? lost : unknown;
    if (fate === 'taken over before') {
      // The first look only notes what there is.
      await world.takeOver(true);
      await world.takeOver(true);
    }
    const answer = await delivered(world, fate, shard, payload);
    dead ||= fate === 'coordinator dies after';
    return dead ? never : answer;
  };
};

const turns = async (): Promise<void> => {
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
};

test('whatever is lost and whoever dies, transactions are whole, and nothing stays locked', async () => {
  const script = fc.record({
    from: fc.constantFrom(...names),
    to: fc.uniqueArray(fc.constantFrom(...names), { minLength: 1, maxLength: 3 }),
    fates: fc.array(fates, { maxLength: 10 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(script, { minLength: 1, maxLength: 5 }), async (scripts) => {
      const world = new World(names);
      try {
        let [committed, unsure] = [0, 0];
        for (const { from, to, fates: script } of scripts) {
          const shards = [from, ...to.filter((shard) => shard !== from)];
          if (shards.length < 2) continue;
          const running = coordinate(transfer(shards), { send: faulty(world, script), random: () => 0 });
          const outcome = await Promise.race([running, turns().then(() => null)]);
          if (outcome?.kind === 'committed') committed++;
          else if (outcome === null || (outcome.kind === 'failed' && outcome.error.startsWith('UNKNOWN'))) unsure++;
          await turns();
          await world.recover();
        }
        expect(world.locked).toBe(0);
        const balances = await Promise.all(names.map((name) => world.command(name, 'GET', 'account')));
        const numbers = balances.map((text) => Number(text === '$-1' ? 0 : text.split(' ')[1]));
        expect(numbers.reduce((sum, each) => sum + each, 0)).toBe(0);
        const moved = numbers.reduce((sum, each) => sum + Math.abs(each), 0);
        if (committed === 0 && unsure === 0) expect(moved).toBe(0);
      } finally {
        await world.stop();
      }
    }),
    { numRuns: Number(process.env['QUARTET_TWO_PHASE_RUNS'] ?? 60) },
  );
}, 120_000);

test('a request that meets a lock waits for the decision, and sees it', async () => {
  const world = new World(['a', 'b']);
  const held = Promise.withResolvers<void>();
  const send: SendStep = async (shard, payload) => {
    if (!isOrdered(payload)) await held.promise;
    return world.deliver(shard, payload);
  };
  const outcome = coordinate(transfer(['a', 'b']), { send });
  await turns();
  expect(world.locked).toBe(2);
  const read = world.command('b', 'GET', 'account');
  expect(await world.command('b', 'GET', 'other')).toBe('$-1');
  held.resolve();
  expect((await outcome).kind).toBe('committed');
  expect(await read).toBe('$1 1');
  await turns();
  expect(world.locked).toBe(0);
  expect([...world.shard('a').store.notes.keys()]).toEqual([]);
  await world.stop();
});

test('a watched key that has changed, and a veto, leave nothing behind', async () => {
  const world = new World(['a', 'b']);
  await world.command('b', 'SET', 'k', '1');
  const watched = [{ key: 'k', version: 99 }];
  const parts = [
    { shard: 'a', watched: [], commands: [encodeCommand(['SET', 'x', '1'])] },
    { shard: 'b', watched, commands: [encodeCommand(['SET', 'y', '1'])] },
  ];
  const send: SendStep = (shard, payload) => world.deliver(shard, payload);
  expect(await coordinate(parts, { send })).toEqual({ kind: 'changed' });
  await turns();
  const free = parts.map((part) => ({ ...part, watched: [] }));
  expect(await coordinate(free, { send, veto: () => true })).toEqual({ kind: 'refused' });
  await turns();
  expect(world.locked).toBe(0);
  expect(await world.command('a', 'GET', 'x')).toBe('$-1');
  expect((await coordinate(free, { send })).kind).toBe('committed');
  expect(await world.command('b', 'GET', 'y')).toBe('$1 1');
  await turns();
  await world.stop();
});

test('transactions over the same shards in any order do not lock each other for ever', async () => {
  const world = new World(names);
  const send: SendStep = (shard, payload) => world.deliver(shard, payload);
  const orders = [
    ['a', 'b', 'c'],
    ['c', 'b', 'a'],
    ['b', 'a'],
    ['c', 'a'],
    ['b', 'c'],
  ];
  const outcomes = await Promise.all(
    Array.from({ length: 60 }, (_, i) => coordinate(transfer(orders[i % orders.length] ?? names), { send })),
  );
  expect(outcomes.every(({ kind }) => kind === 'committed')).toBe(true);
  await turns();
  expect(world.locked).toBe(0);
  await world.stop();
});
