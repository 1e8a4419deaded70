import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { answerStatus } from '../batch/answer-batch.ts';
import { encodeTransaction, requestKind } from '../batch/request-batch.ts';
import { encodeCommand } from '../resp/frame.ts';
import { decodeReply } from '../resp/reply.ts';
import type { MergeFrom } from '../split/next-work.ts';
import { sweep } from '../split/sweep.ts';
import { SplitWorker } from '../split/worker.ts';
import { everything, type KeyRange } from '../store/key-range.ts';
import { decision, encodeStep, type Step } from '../two-phase/step.ts';
import { ListedShard } from './listed-shard.ts';
import { sourceOf } from './listed-source.ts';

/** All that clients use, and where the shards part. */
export const keys = ['a', 'b', 'm', 'n', 'z'];
export const border = 'm';

export type Words = readonly string[];
export type Side = 'lower' | 'upper';
export type Fault = 'none' | { readonly of: Side; readonly code: 'not-primary' | 'unknown-outcome' };
/** What happens next. */
export type Action =
  | { readonly do: 'write'; readonly words: Words }
  | { readonly do: 'across'; readonly lower: Words; readonly upper: Words; readonly commits: boolean }
  | {
      readonly do: 'step';
      readonly fault: Fault;
      readonly meanwhile: readonly Words[];
      readonly dies: 'nobody' | Side;
    }
  | { readonly do: 'restart lower' | 'restart upper' | 'trim' | 'sweep' | 'expire' | 'take back' | 'want' };

/** What is known of a shard of this run. */
interface Life {
  readonly name: string;
  readonly shard: ListedShard;
  worker: SplitWorker;
}

const emptied = ({ keyRange }: ListedShard['store']): boolean =>
  keyRange !== null && keyRange.start !== '' && keyRange.start === keyRange.end;

/** Two shards that were one, and become one again, as often as it comes to that. */
export class MergingShards {
  readonly #dir = mkdtempSync(join(tmpdir(), 'quartet-merge-'));
  readonly lower: Life;
  /** The upper shard of the moment; those before it are empty. */
  upper: Life;
  readonly shards: ListedShard[] = [];
  /** Does what was acknowledged, and nothing else. */
  readonly reference: ListedShard;
  mergeFrom: string | null = null;
  merges = 0;
  #writes = 0;
  #stepping = Promise.resolve();
  #transactions = 0;
  readonly #old: Promise<void>[] = [];

  constructor() {
    this.reference = new ListedShard(join(this.#dir, 'reference'), everything);
    this.lower = this.#begin('lower', everything);
    this.upper = this.#begin('upper0', null);
  }

  #begin(name: string, range: KeyRange | null): Life {
    const shard = new ListedShard(join(this.#dir, name), range);
    this.shards.push(shard);
    const worker = this.#worker(name, shard);
    return { name, shard, worker };
  }

  #worker(name: string, shard: ListedShard): SplitWorker {
    const { replica, executor, store } = shard;
    const isUpper = name !== 'lower';
    return new SplitWorker({
      shard: name,
      replica,
      executor,
      store,
      reporter: { tell: () => {} },
      splitFrom: () => (isUpper ? { shard: 'lower', at: border } : null),
      mergeFrom: () => (isUpper ? null : this.#mergeFrom()),
      source: () => sourceOf(isUpper ? this.lower.shard : this.upper.shard),
      log: pino({ level: 'silent' }),
      pieceBytes: 1,
    });
  }

  #mergeFrom(): MergeFrom | null {
    return this.mergeFrom === null ? null : { shard: this.mergeFrom, emptied: emptied(this.upper.shard.store) };
  }

  /** Splits the lower shard with a new one, to the end. */
  async split(): Promise<void> {
    if (this.merges > 0) this.upper = this.#begin(`upper${this.merges}`, null);
    for (let i = 0; this.upper.worker.phase !== 'none'; i++) {
      if (i > 300) throw new Error('the split does not end');
      await this.upper.worker.turn();
    }
    this.mergeFrom = this.upper.name;
  }

  life(side: Side): Life {
    return side === 'lower' ? this.lower : this.upper;
  }

  /** A primary that knows only what the log says. What the one before was about to do goes on beside it. */
  #successor(): void {
    this.#old.push(this.#stepping);
    this.#stepping = Promise.resolve();
    this.lower.worker = this.#worker('lower', this.lower.shard);
  }

  /** Steps of one member do not overlap. */
  step(): Promise<void> {
    const { worker } = this.lower;
    this.#stepping = this.#stepping.then(async () => {
      // One that was replaced meanwhile belongs to a member that leads no more: it does not begin another step.
      if (worker === this.lower.worker) await worker.turn();
    });
    return this.#stepping;
  }

  /** The shard that serves a key; null: none now. */
  async serving(key: string): Promise<ListedShard | null> {
    const answers = await Promise.all(this.shards.map((shard) => shard.ask(['EXISTS', key])));
    const able = this.shards.filter((_, i) => answers[i]?.status === answerStatus.reply);
    if (able.length > 1) throw new Error(`two shards serve ${key}`);
    return able[0] ?? null;
  }

  /** The value of a key as bytes, from whoever serves it as soon as somebody does; nil when there is none. */
  async #dumpOf(key: string): Promise<unknown> {
    for (let i = 0; i < 300; i++) {
      const shard = await this.serving(key);
      const answer = await shard?.ask(['QDUMP', key]);
      if (answer?.status === answerStatus.reply) return decodeReply(answer.bytes)?.reply;
      await this.step();
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
      if (bytes.toString().startsWith('-TRYAGAIN')) return this.#lookAtAll();
      if (bytes.equals(expected.bytes)) return;
      throw new Error(`${words.join(' ')} was answered ${bytes.toString()}, not ${expected.bytes.toString()}`);
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

  #ask(side: Side, step: Step): ReturnType<ListedShard['request']> {
    return this.life(side).shard.request({ kind: requestKind.step, payload: encodeStep(step) });
  }

  /** A step about the outcome, until it is answered: as recovery does. */
  async #insist(side: Side, step: Step): Promise<string> {
    for (let i = 0; i < 100; i++) {
      const { status, bytes } = await this.#ask(side, step);
      if (status === answerStatus.reply && bytes[0] === 43) return bytes.toString().trim().slice(1);
    }
    throw new Error('a step of a transaction is not answered');
  }

  /** A transaction over both shards, while the lower one takes a step of the merge. */
  async #across({ lower, upper, commits }: Extract<Action, { do: 'across' }>): Promise<void> {
    const id = `t${this.#transactions++}`;
    const roles = { anchor: 'lower', participants: ['lower', 'upper'] };
    const prepare = async (side: Side, words: Words): Promise<boolean> => {
      const transaction = encodeTransaction([], [encodeCommand([...words])]);
      return (await this.#ask(side, { name: 'prepare', id, roles, transaction })).status === answerStatus.reply;
    };
    const prepared = (await prepare('lower', lower)) && (await prepare('upper', upper));
    const step = this.step();
    const outcome = await this.#insist('lower', { name: commits && prepared ? 'commit' : 'abort', id });
    const done = outcome === decision.committed;
    await this.#insist('upper', { name: done ? 'apply' : 'drop', id });
    if (done) for (const words of [lower, upper]) await this.reference.ask(words);
    await this.#insist('lower', { name: 'forget', id });
    await step;
  }

  async act(action: Action): Promise<void> {
    if (action.do === 'write') await this.write(action.words);
    else if (action.do === 'across') await this.#across(action);
    else if (action.do === 'step') await this.#stepAmong(action);
    else await this.#events[action.do]();
  }

  readonly #events = {
    'restart lower': () => this.#restart('lower'),
    'restart upper': () => this.#restart('upper'),
    trim: () => this.upper.shard.trim(),
    sweep: () => this.#sweep(),
    expire: () => this.shards.forEach(({ executor }) => executor.expire()),
    'take back': () => void (this.mergeFrom = null),
    want: () => void (this.mergeFrom = this.upper.name),
  } as const;

  async #restart(side: Side): Promise<void> {
    await Promise.all([...this.#old, this.#stepping]);
    await this.life(side).shard.restart();
    if (side === 'lower') this.#successor();
  }

  /** A step, clients that write while it is under way, and a primary that dies in its midst. */
  async #stepAmong({ fault, meanwhile, dies }: Extract<Action, { do: 'step' }>): Promise<void> {
    if (fault !== 'none') this.life(fault.of).shard.replica.failNext(fault.code);
    const step = this.step();
    for (const words of meanwhile) await this.write(words);
    if (dies !== 'nobody') this.life(dies).shard.failOver();
    if (dies === 'lower') this.#successor();
    else await step;
  }

  /** Lets the merge end, and sweeps. */
  async finish(): Promise<void> {
    this.mergeFrom = this.upper.name;
    for (let i = 0; this.lower.worker.phase !== 'none'; i++) {
      await this.step();
      if (i > 300) throw new Error('the merge does not end');
    }
    await Promise.all(this.#old);
    await this.#sweep();
    this.merges += 1;
    this.mergeFrom = null;
  }

  async #sweep(): Promise<void> {
    for (const { executor, store } of this.shards) while (await sweep(executor, store));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#old, this.#stepping]);
    for (const shard of [...this.shards, this.reference]) await shard.close();
    rmSync(this.#dir, { recursive: true, force: true });
  }
}
