import * as fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { AnswerBuilder, answerStatus } from '../batch/answer-batch.ts';
import { decodeRequests, epochOf } from '../batch/request-batch.ts';
import { Budget, type Replan } from './request.ts';
import { requestDeadlineMs, ShardLink, type Transport } from './shard-link.ts';
import type { Target } from './target.ts';

interface Sent {
  readonly pod: string;
  readonly epoch: number;
  readonly number: number;
  readonly ids: number[];
  readonly payloads: string[];
}

/** A link with a clock, a primary and a wire that the test controls. */
class Bench implements Transport {
  connected = true;
  now = 0;
  order = 0;
  primary: Target | null = { pod: 'm0', term: 1, incarnation: 'x' };
  gone = false;
  incarnations: Record<string, string> = { m0: 'x', m1: 'y' };
  readonly sent: Sent[] = [];
  readonly replies: string[] = [];
  readonly budget: Budget;
  readonly link: ShardLink;

  constructor(budget = new Budget()) {
    this.budget = budget;
    this.link = new ShardLink({
      shard: 'app-0',
      transport: this,
      budget,
      findPrimary: () => this.primary,
      isGone: () => this.gone,
      incarnationOf: (pod) => this.incarnations[pod],
      now: () => this.now,
      route: () => 'here',
      random: () => 0.5,
      replan: ({ request, deadline }) => request.replan?.(deadline, () => {}),
      nextOrder: () => ++this.order,
    });
  }

  send(_link: ShardLink, pod: string, batch: Buffer, number: number): void {
    const requests = [...decodeRequests(batch)];
    this.sent.push({
      pod,
      number,
      epoch: epochOf(batch),
      ids: requests.map(({ id }) => id),
      payloads: requests.map(({ payload }) => payload.toString()),
    });
  }

  submit(text: string, writes = true, replan?: Replan): void {
    const answer = (reply: Buffer): void => void this.replies.push(`${text}: ${reply.toString().trim()}`);
    this.link.submit({ kind: 0, payload: Buffer.from(text), writes, waiter: { answer }, replan });
  }

  /** Answers requests of the newest message, or of an older one. */
  answer(status: number, text: string, sent = this.sent.at(-1)): void {
    const builder = new AnswerBuilder();
    for (const id of sent?.ids ?? []) builder.add(id, status, Buffer.from(text));
    for (const message of builder.messages(5)) this.link.take(message);
  }

  wait(ms: number): void {
    this.now += ms;
    this.link.tick();
  }
}

let bench: Bench;

beforeEach(() => {
  bench = new Bench();
});

test('requests of a turn are one message, and replies reach those who asked', () => {
  bench.submit('a');
  bench.submit('b');
  bench.link.flush();
  expect(bench.sent.map(({ payloads }) => payloads)).toEqual([['a', 'b']]);
  bench.answer(answerStatus.reply, '+OK');
  expect(bench.replies).toEqual(['a: +OK', 'b: +OK']);
  expect(bench.budget.requests).toBe(0);
});

describe('surely not executed: tried again', () => {
  test('while there is no primary, requests wait; when there is none for too long they fail and say so', () => {
    bench.primary = null;
    bench.submit('a');
    bench.link.flush();
    expect(bench.sent).toEqual([]);
    bench.primary = { pod: 'm1', term: 2, incarnation: 'y' };
    bench.wait(100);
    expect(bench.sent.map(({ pod }) => pod)).toEqual(['m1']);
    bench.answer(answerStatus.refused, 'not primary');
    bench.primary = null;
    bench.wait(100);
    bench.wait(requestDeadlineMs);
    expect(bench.replies).toEqual(['a: -TRYAGAIN not executed within 10 s: shard app-0: no primary is known']);
  });

  test('while NATS is away, requests wait', () => {
    bench.connected = false;
    bench.submit('a');
    bench.link.flush();
    expect(bench.sent).toEqual([]);
    bench.connected = true;
    bench.wait(100);
    expect(bench.sent).toHaveLength(1);
  });

  test('a refused request goes to the next primary, under the next epoch', () => {
    bench.submit('a');
    bench.link.flush();
    bench.primary = { pod: 'm1', term: 2, incarnation: 'y' };
    bench.answer(answerStatus.refused, 'not primary');
    bench.wait(100);
    bench.answer(answerStatus.reply, '+OK');
    expect(bench.sent.map(({ pod, epoch }) => [pod, epoch])).toEqual([
      ['m0', 1],
      ['m1', 2],
    ]);
    expect(bench.replies).toEqual(['a: +OK']);
  });

  test('a batch that nobody listened to is sent again', () => {
    bench.submit('a');
    bench.link.flush();
    bench.link.undelivered(bench.sent[0]!.number);
    bench.wait(100);
    expect(bench.sent.map(({ payloads }) => payloads)).toEqual([['a'], ['a']]);
  });

  test('nothing goes to another member while something is in flight to the first', () => {
    bench.submit('a');
    bench.link.flush();
    bench.primary = { pod: 'm1', term: 2, incarnation: 'y' };
    bench.submit('b');
    bench.link.flush();
    expect(bench.sent.map(({ pod }) => pod)).toEqual(['m0', 'm0']);
  });

  test('refused requests keep their order before those that came later', () => {
    for (const name of ['a', 'b', 'c']) {
      bench.submit(name);
      bench.link.flush();
    }
    const [first, second, third] = bench.sent;
    bench.answer(answerStatus.refused, 'no', second);
    bench.submit('d');
    bench.link.flush();
    bench.answer(answerStatus.refused, 'no', third);
    bench.answer(answerStatus.refused, 'no', first);
    bench.wait(100);
    expect(bench.sent.slice(3).map(({ payloads }) => payloads)).toEqual([['a', 'b', 'c', 'd']]);
  });
});

describe('unknown outcomes', () => {
  test('a write that is never answered is unknown at its deadline; a read is not executed', () => {
    bench.submit('write');
    bench.submit('read', false);
    bench.link.flush();
    bench.wait(requestDeadlineMs + 1);
    expect(bench.replies[0]).toMatch(/^write: -UNKNOWN/);
    expect(bench.replies[1]).toMatch(/^read: -TRYAGAIN/);
  });

  test('when a new primary leads, the old one has a moment to answer; then writes are unknown and reads are repeated', () => {
    bench.submit('write');
    bench.submit('read', false);
    bench.link.flush();
    bench.primary = { pod: 'm1', term: 2, incarnation: 'y' };
    bench.wait(100);
    expect(bench.replies).toEqual([]);
    bench.wait(600);
    bench.wait(100);
    expect(bench.replies).toEqual([expect.stringMatching(/^write: -UNKNOWN/)]);
    expect(bench.sent.at(-1)).toMatchObject({ pod: 'm1', payloads: ['read'] });
  });

  test('a member that was started anew will not answer', () => {
    bench.submit('write');
    bench.link.flush();
    bench.incarnations['m0'] = 'another';
    bench.wait(100);
    expect(bench.replies).toEqual([expect.stringMatching(/^write: -UNKNOWN/)]);
  });

  test('when there is no such shard any more it has a moment to answer; then writes are unknown, and the others are planned anew', () => {
    const planned: string[] = [];
    for (const text of ['write', 'read']) bench.submit(text, text === 'write', () => void planned.push(text));
    bench.link.flush();
    [bench.gone, bench.primary] = [true, null];
    bench.wait(100);
    expect(bench.replies).toEqual([]);
    bench.wait(600);
    bench.wait(100);
    bench.link.reroute();
    expect(bench.replies).toEqual([expect.stringMatching(/^write: -UNKNOWN/)]);
    expect(planned).toEqual(['read']);
    expect(bench.link.pending).toBe(0);
  });

  test('what was in flight when NATS went away has a moment to be answered after NATS is back', () => {
    bench.submit('write');
    bench.submit('read', false);
    bench.link.flush();
    bench.connected = false;
    bench.wait(2_000);
    bench.connected = true;
    bench.wait(100);
    bench.submit('later');
    bench.wait(2_500);
    expect(bench.replies).toEqual([]);
    bench.wait(1_000);
    expect(bench.replies).toEqual([expect.stringMatching(/^write: -UNKNOWN/)]);
    bench.answer(answerStatus.reply, '+OK');
    bench.wait(1_000);
    bench.answer(answerStatus.reply, '+1');
    expect(bench.replies.slice(1)).toEqual(['later: +OK', 'read: +1']);
  });

  test('a late answer is ignored', () => {
    bench.submit('write');
    bench.link.flush();
    bench.wait(requestDeadlineMs + 1);
    bench.answer(answerStatus.reply, '+OK');
    expect(bench.replies).toHaveLength(1);
    expect(bench.budget.requests).toBe(0);
  });
});

test('what waits has a bound', () => {
  bench = new Bench(new Budget(2));
  bench.primary = null;
  for (const name of ['a', 'b', 'c']) bench.submit(name);
  expect(bench.replies).toEqual(['c: -TRYAGAIN too many requests wait in this gateway; not executed']);
});

/** What may happen to a link, with members that behave as ours do. */
class Story {
  submitted = 0;
  /** Messages before this one are answered, or never will be. */
  #answered = 0;
  #term = 1;

  readonly events: Readonly<Record<string, () => void>> = {
    submit: () => bench.submit(String(this.submitted++)),
    flush: () => bench.link.flush(),
    wait: () => bench.wait(200),
    failover: () => {
      this.#term++;
      bench.primary = { pod: `m${this.#term}`, term: this.#term, incarnation: 'z' };
    },
    silence: () => {
      if (bench.sent.length > this.#answered) this.#answered++;
    },
    accept: () => this.#answer(answerStatus.reply, (sent) => sent.slice(0, 1)),
    // Once a member refuses, it refuses the rest of the epoch.
    refuse: () => this.#answer(answerStatus.refused, (sent) => sent.filter(({ epoch }) => epoch === sent[0]?.epoch)),
  };

  #answer(status: number, choose: (unanswered: readonly Sent[]) => readonly Sent[]): void {
    const chosen = choose(bench.sent.slice(this.#answered));
    this.#answered += chosen.length;
    for (const sent of chosen) bench.answer(status, '+OK', sent);
  }
}

test('whatever is refused, lost or late, every request is answered once and accepted ones are in order', () => {
  const event = fc.constantFrom(...Object.keys(new Story().events));
  fc.assert(
    fc.property(fc.array(event, { maxLength: 80 }), (events) => {
      bench = new Bench();
      const story = new Story();
      for (const each of events) story.events[each]?.();
      for (let i = 0; i < 8; i++) bench.wait(requestDeadlineMs / 2);
      const names = bench.replies.map((reply) => Number(reply.split(':')[0]));
      expect(names.toSorted((a, b) => a - b)).toEqual(Array.from({ length: story.submitted }, (_, i) => i));
      const accepted = names.filter((_, i) => bench.replies[i]?.endsWith('+OK'));
      expect(accepted).toEqual(accepted.toSorted((a, b) => a - b));
      expect(bench.budget.requests).toBe(0);
    }),
  );
});

describe('when keys go to another shard', () => {
  /** Two links; `key` decides where a request belongs. */
  class Pair {
    readonly sent: string[] = [];
    readonly links: Record<'old' | 'new', ShardLink>;
    moved = false;
    now = 0;
    order = 0;
    replanned: string[] = [];
    goOn: (() => void)[] = [];

    constructor() {
      this.links = { old: this.#link('old'), new: this.#link('new') };
    }

    #link(name: 'old' | 'new'): ShardLink {
      return new ShardLink({
        shard: name,
        transport: {
          connected: true,
          send: (_link, _pod, batch) => {
            const requests = [...decodeRequests(batch)];
            this.sent.push(`${name}: ${requests.map(({ payload }) => payload.toString()).join(' ')}`);
            const moved = requests.findIndex(({ payload }) => name === 'old' && /[z2]/.test(payload.toString()));
            const answers = new AnswerBuilder();
            for (const [i, { id }] of requests.entries()) {
              const status =
                moved < 0 || i < moved ? answerStatus.reply : i === moved ? answerStatus.moved : answerStatus.refused;
              answers.add(id, status, Buffer.alloc(0));
            }
            this.waiting.push(() => {
              for (const message of answers.messages(1)) this.links[name].take(message);
            });
          },
        },
        budget: new Budget(),
        findPrimary: () => ({ pod: 'm0', term: 1, incarnation: 'x' }),
        incarnationOf: () => 'x',
        isGone: () => false,
        now: () => this.now,
        random: () => 0.5,
        nextOrder: () => ++this.order,
        route: (submitted) => {
          const keys = submitted.request.keys ?? [];
          if (!this.moved || name === 'new' || !keys.includes('z')) return 'here';
          if (keys.includes('a')) return 'nowhere';
          this.links.new.takeOver(submitted);
          return 'taken';
        },
        replan: (submitted) => {
          this.replanned.push(submitted.request.payload.toString());
          const later = Object.values(this.links).map((link) => ({ link, all: link.withdraw(submitted) }));
          this.goOn.push(() => {
            for (const { link, all } of later) for (const each of all) link.takeOver(each);
            for (const { link } of later) link.reroute();
          });
        },
      });
    }

    waiting: (() => void)[] = [];

    ask(link: 'old' | 'new', text: string, keys: string[], asker: object = this): void {
      const payload = Buffer.from(text);
      const replan = (): void => {};
      this.links[link].submit({ kind: 0, payload, writes: true, waiter: { answer: () => {} }, keys, asker, replan });
    }

    flush(): void {
      this.links.old.flush();
      this.links.new.flush();
    }

    answer(): void {
      for (const give of this.waiting.splice(0)) give();
      this.now += 1_000;
      this.links.old.tick();
      this.links.new.tick();
    }
  }

  test('what was sent to the old one has its turn before what was asked of the new one later', () => {
    const pair = new Pair();
    pair.ask('old', 'z1', ['z']);
    pair.flush();
    pair.moved = true;
    pair.links.new.follow(pair.links.old);
    pair.links.old.reroute();
    pair.ask('new', 'z9', ['z']);
    pair.flush();
    expect(pair.sent).toEqual(['old: z1']);
    pair.answer();
    pair.flush();
    expect(pair.sent).toEqual(['old: z1', 'new: z1 z9']);
  });

  test('what the same client asked after a request that is planned anew waits until that is done', () => {
    const pair = new Pair();
    const other = {};
    pair.ask('old', 'az2', ['a', 'z']);
    pair.ask('old', 'z3', ['z']);
    pair.ask('old', 'az4', ['a', 'z']);
    pair.ask('old', 'a5', ['a'], other);
    pair.flush();
    pair.moved = true;
    pair.links.new.follow(pair.links.old);
    pair.links.old.reroute();
    pair.ask('new', 'z6', ['z']);
    pair.answer();
    pair.flush();
    expect(pair.replanned).toEqual(['az2']);
    expect(pair.sent.slice(1)).toEqual(['old: a5']);
    pair.answer();
    pair.goOn.shift()?.();
    pair.flush();
    expect(pair.replanned).toEqual(['az2', 'az4']);
    expect(pair.sent.slice(2)).toEqual(['new: z3']);
    pair.answer();
    expect(pair.sent.slice(3)).toEqual([]);
    pair.goOn.shift()?.();
    pair.flush();
    expect(pair.sent.slice(3)).toEqual(['new: z6']);
  });
});
