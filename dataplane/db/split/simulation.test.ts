import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { answerStatus } from '../batch/answer-batch.ts';
import { decodeReply } from '../resp/reply.ts';
import { everything } from '../store/key-range.ts';
import { ListedShard } from '../testing/listed-shard.ts';
import { sourceOf } from '../testing/listed-source.ts';
import { sweep } from './sweep.ts';
import { SplitWorker } from './worker.ts';

const keys = ['a', 'b', 'm', 'n', 'z'];
const at = 'm';
/** First key of another new shard that wants its keys from the same one. */
const rivalAt = 'z';

type Words = readonly string[];
type Fault = 'none' | { readonly of: 'source' | 'target'; readonly code: 'not-primary' | 'unknown-outcome' };
type Action =
  | { readonly do: 'write'; readonly words: Words }
  | {
      readonly do: 'step';
      readonly fault: Fault;
      readonly meanwhile: readonly Words[];
      readonly dies: 'nobody' | 'source' | 'target';
    }
  | { readonly do: 'restart source' | 'restart target' | 'trim' | 'sweep' | 'rival' };

/** A primary that knows only what the log says. */
const newWorker = (name: string, first: string, source: ListedShard, shard: ListedShard): SplitWorker => {
  const { replica, executor, store } = shard;
  return new SplitWorker({
    shard: name,
    replica,
    executor,
    store,
    reporter: { tell: () => {} },
    splitFrom: () => ({ shard: 'source', at: first }),
    source: () => sourceOf(source),
    log: pino({ level: 'silent' }),
    pieceBytes: 1,
  });
};

class World {
  readonly #dir = mkdtempSync(join(tmpdir(), 'quartet-split-'));
  readonly source = new ListedShard(join(this.#dir, 'source'), everything);
  readonly target = new ListedShard(join(this.#dir, 'target'), null);
  /** Does what was acknowledged, and nothing else. */
  readonly reference = new ListedShard(join(this.#dir, 'reference'), everything);
  readonly rival = new ListedShard(join(this.#dir, 'rival'), null);
  readonly #rivalWorker = newWorker('rival', rivalAt, this.source, this.rival);
  #worker = newWorker('target', at, this.source, this.target);
  #writes = 0;
  #stepping = Promise.resolve(false);
  readonly #old: Promise<boolean>[] = [];

  get shards(): readonly ListedShard[] {
    return [this.source, this.target, this.rival];
  }

  successor(): void {
    this.#stepping = Promise.resolve(false);
    this.#worker = newWorker('target', at, this.source, this.target);
  }

  /** Does the next step, if it can be done now. Steps of one member do not overlap. Answers whether all is over. */
  step(): Promise<boolean> {
    const worker = this.#worker;
    this.#stepping = this.#stepping.then(async () => {
      // One that was replaced meanwhile belongs to a member that leads no more: it does not begin another step.
      if (worker !== this.#worker) return false;
      await worker.turn();
      return worker.phase === 'none';
    });
    return this.#stepping;
  }

  /** Lets the other new shard go as far as it gets: to the end, or until the source refuses it. */
  async #rival(): Promise<void> {
    for (let i = 0; i < 30 && this.#rivalWorker.phase !== 'none'; i++) await this.#rivalWorker.turn();
  }

  /** Whether the rival came first. Otherwise its keys are the target's, and it never gets any. */
  get rivalIsOpen(): boolean {
    return this.#rivalWorker.phase === 'none';
  }

  get open(): readonly ListedShard[] {
    return this.rivalIsOpen ? this.shards : [this.source, this.target];
  }

  /** The shard that serves a key; null: none now. */
  async serving(key: string): Promise<ListedShard | null> {
    const { shards } = this;
    const answers = await Promise.all(shards.map((shard) => shard.ask(['EXISTS', key])));
    const able = shards.filter((_, i) => answers[i]?.status === answerStatus.reply);
    expect(able.length).toBeLessThan(2);
    return able[0] ?? null;
  }

  /** The value of a key as bytes, from whoever serves it as soon as somebody does; nil when there is none. */
  async #dumpOf(key: string): Promise<unknown> {
    for (let i = 0; i < 300; i++) {
      for (const shard of this.shards) {
        const { status, bytes } = await shard.ask(['QDUMP', key]);
        if (status === answerStatus.reply) return decodeReply(bytes)?.reply;
      }
      await this.step();
      await this.#rival();
    }
    throw new Error(`nobody serves ${key} any more`);
  }

  /** As a client with a gateway that tries one shard and then the other. */
  async write(words: Words): Promise<void> {
    for (const shard of this.#writes++ % 2 === 0 ? this.shards : this.shards.toReversed()) {
      const { status, bytes } = await shard.ask(words);
      if (status === answerStatus.unknown) return this.#lookAtAll();
      if (status !== answerStatus.reply) continue;
      const expected = await this.reference.ask(words);
      if (!bytes.toString().startsWith('-TRYAGAIN')) return expect(bytes.toString()).toBe(expected.bytes.toString());
      return this.#lookAtAll();
    }
  }

  /** The reference learns what became of writes whose outcome is not known. */
  async #lookAtAll(): Promise<void> {
    for (const key of keys) {
      const dump = await this.#dumpOf(key);
      await this.reference.ask(['DEL', key]);
      if (Buffer.isBuffer(dump)) await this.reference.ask(['QLOAD', key, dump]);
    }
  }

  async act(action: Action): Promise<void> {
    if (action.do === 'write') return this.write(action.words);
    if (action.do === 'step') return this.#stepAmong(action);
    if (action.do === 'trim') return this.source.trim();
    if (action.do === 'sweep') return this.#sweep();
    if (action.do === 'rival') return this.#rival();
    await Promise.all(this.#old);
    if (action.do === 'restart source') return this.source.restart();
    await this.target.restart();
    this.successor();
  }

  /** A step, clients that write while it is under way, and a primary that dies in its midst. */
  async #stepAmong({ fault, meanwhile, dies }: Extract<Action, { do: 'step' }>): Promise<void> {
    if (fault !== 'none') this[fault.of].replica.failNext(fault.code);
    const step = this.step();
    for (const words of meanwhile) await this.write(words);
    if (dies !== 'nobody') this[dies].failOver();
    if (dies !== 'target') return void (await step);
    this.successor();
    // What the old one was about to do goes on beside its successor.
    this.#old.push(step);
  }

  /** Lets the split end, and sweeps. */
  async finish(): Promise<void> {
    // A rival that has begun may be in between: then it ends first, or comes too late.
    for (let i = 0; !(await this.step()); i++) {
      await this.#rival();
      if (i > 300) throw new Error('the split does not end');
    }
    await Promise.all(this.#old);
    await this.#sweep();
  }

  async #sweep(): Promise<void> {
    for (const { executor, store } of this.shards) while (await sweep(executor, store));
  }

  async close(): Promise<void> {
    for (const shard of [...this.shards, this.reference]) await shard.close();
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

const key = fc.constantFrom(...keys);
const value = fc.constantFrom('1', '22', '333');
const words: fc.Arbitrary<Words> = fc.oneof(
  fc.tuple(fc.constant('SET'), key, value),
  fc.tuple(fc.constant('APPEND'), key, value),
  fc.tuple(fc.constant('HSET'), key, value, value),
  fc.tuple(fc.constant('HDEL'), key, value),
  fc.tuple(fc.constant('RPUSH'), key, value),
  { weight: 2, arbitrary: fc.tuple(fc.constant('DEL'), key) },
  fc.tuple(fc.constant('RENAME'), key, key),
  fc.tuple(fc.constant('PEXPIREAT'), key, fc.constantFrom('9999999999000', '9999999999999')),
  fc.tuple(fc.constant('PERSIST'), key),
);
const faults: fc.Arbitrary<Fault> = fc.oneof(
  fc.constant('none' as const),
  fc.record({
    of: fc.constantFrom('source' as const, 'target' as const),
    code: fc.constantFrom('not-primary' as const, 'unknown-outcome' as const),
  }),
);
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('write' as const), words }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('step' as const),
      fault: faults,
      meanwhile: fc.array(words, { maxLength: 3 }),
      dies: fc.constantFrom('nobody' as const, 'nobody' as const, 'source' as const, 'target' as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom(...(['restart source', 'restart target', 'trim', 'sweep', 'rival'] as const)),
    }),
  },
);

const reads = [['TYPE'], ['PEXPIRETIME'], ['GET'], ['HGETALL'], ['LRANGE', '0', '-1']] as const;

const shown = async (shard: ListedShard, name: string): Promise<string[]> =>
  Promise.all(reads.map(async ([read, ...rest]) => (await shard.ask([read, name, ...rest])).bytes.toString()));

test('whoever fails between any two steps, every key has one shard at most, and no acknowledged write is lost', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 25 }), async (actions) => {
      const world = new World();
      try {
        // A shard knows its range once it was asked for something.
        await world.serving('a');
        for (const each of actions) {
          await world.act(each);
          for (const name of keys) await world.serving(name);
        }
        await world.finish();
        for (const name of keys) {
          const shard = await world.serving(name);
          const upper = name >= rivalAt && world.rivalIsOpen ? world.rival : world.target;
          expect(shard).toBe(name < at ? world.source : upper);
          if (shard) expect(await shown(shard, name)).toEqual(await shown(world.reference, name));
        }
        const sizes = await Promise.all([...world.open, world.reference].map((shard) => shard.ask(['DBSIZE'])));
        const counts = sizes.map(({ bytes }) => Number(bytes.toString().slice(1)));
        const all = counts.pop();
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(all);
        for (const { store } of world.open) expect([...store.notes.keys()]).toEqual(['range']);
      } finally {
        await world.close();
      }
    }),
    { numRuns: Number(process.env['QUARTET_SPLIT_RUNS'] ?? 100) },
  );
}, 120_000);
