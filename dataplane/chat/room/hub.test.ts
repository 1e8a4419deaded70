import * as fc from 'fast-check';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { defaultLimits } from '../limits.ts';
import { MemoryLog } from '../testing/memory-log.ts';
import { Hub, type Subscriber } from './hub.ts';
import { decodeBody } from './stored-publication.ts';

const room = 'room';
const logger = pino({ level: 'silent' });
const limits = { ...defaultLimits, batchWindowMs: 0, ringMessages: 6 };

const hubOn = async (log: MemoryLog): Promise<Hub> => new Hub({ room, log, limits, logger }, await log.position(room));

/** Offsets in the text of a frame or a reply. */
const offsetsIn = (text: string): number[] => [...text.matchAll(/"offset":(\d+)/g)].map(([, offset]) => Number(offset));

/** A client that follows the protocol: it keeps its position and recovers from it. */
class Client implements Subscriber {
  readonly user = 'ann';
  readonly client: string;
  readonly got: number[] = [];
  position: { offset: number; epoch: string } | null = null;
  /** Sequences that it was told to have lost, or that came before it first subscribed: up to here. */
  excusedUpTo = 0;
  subscribed = false;

  constructor(name: string) {
    this.client = name;
  }

  sendFrame(frame: Buffer): void {
    for (const offset of offsetsIn(frame.toString())) this.#take(offset);
  }

  ended(): void {
    this.subscribed = false;
  }

  async subscribe(hub: Hub): Promise<void> {
    await hub.subscribe(this, this.position, ({ offset, epoch, publications, recovered }) => {
      this.subscribed = true;
      if (recovered !== true) this.excusedUpTo = offset;
      this.position = { offset, epoch };
      for (const { seq } of publications) this.#take(seq);
    });
  }

  #take(offset: number): void {
    this.got.push(offset);
    if (this.position !== null) this.position = { ...this.position, offset };
  }
}

const action = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('publish' as const), live: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('subscribe' as const), who: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), who: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('move' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('forget' as const), keep: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fail' as const), times: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('audit' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('other' as const) }) },
);
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;

/** Two gateways over one log. Live messages may be lost on either, the store may fail, retention removes. */
class World {
  readonly log = new MemoryLog();
  readonly clients = ['a', 'b', 'c'].map((name) => new Client(name));
  readonly stored: number[] = [];
  readonly #home = new Map<Client, Hub>();
  hubs: Hub[] = [];
  #at = 0;

  async open(): Promise<void> {
    this.hubs = [await hubOn(this.log), await hubOn(this.log)];
  }

  async run(next: Action): Promise<void> {
    if (next.do === 'publish') await this.#publish(next.live);
    else if (next.do === 'other') await this.log.append('other', `o${Math.random()}`, '{"data":0}');
    else if (next.do === 'subscribe') await this.#subscribe(this.clients[next.who]!);
    else if (next.do === 'leave') this.#leave(this.clients[next.who]!);
    else await this.#disturb(next);
  }

  /** All is well again: everybody who is subscribed gets what is missing. */
  async settle(): Promise<void> {
    this.log.failures = 0;
    await this.#reopen();
    for (const hub of this.hubs) await hub.resync();
    await this.#reopen();
    for (const client of this.clients) if (!client.subscribed) await this.#subscribe(client);
  }

  async #disturb(next: Action): Promise<void> {
    if (next.do === 'move') this.#at = 1 - this.#at;
    else if (next.do === 'forget') this.log.forget(room, this.stored.at(-1 - next.keep) ?? 0);
    else if (next.do === 'fail') this.log.failures = next.times;
    else for (const hub of this.hubs) await hub.resync();
  }

  async #publish(live: boolean): Promise<void> {
    const body = '{"data":{"content":"x"}}';
    const { seq } = await this.log.append(room, `m${Math.random()}`, body);
    this.stored.push(seq);
    const message = { seq, previous: this.log.previousOf(room, seq), publication: decodeBody(body, seq, 0) };
    this.hubs[0]?.live(message);
    if (live) this.hubs[1]?.live(message);
  }

  async #reopen(): Promise<void> {
    for (const [index, hub] of this.hubs.entries()) if (hub.closed) this.hubs[index] = await hubOn(this.log);
  }

  async #subscribe(client: Client): Promise<void> {
    if (client.subscribed) return;
    this.#leave(client);
    await this.#reopen().catch(() => {});
    const hub = this.hubs[this.#at]!;
    await client.subscribe(hub).then(
      () => this.#home.set(client, hub),
      () => {},
    );
  }

  #leave(client: Client): void {
    this.#home.get(client)?.unsubscribe(client);
    this.#home.delete(client);
    client.subscribed = false;
  }
}

describe('a hub', () => {
  it('brings every client every message once and in order over two gateways, or tells it that some are lost', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 5, maxLength: 60 }), async (actions) => {
        const world = new World();
        await world.open();
        for (const next of actions) await world.run(next);
        await world.settle();
        for (const client of world.clients) {
          expect(client.got).toEqual([...new Set(client.got)].sort((a, b) => a - b));
          const due = world.stored.filter((seq) => seq > client.excusedUpTo);
          expect(client.got.filter((seq) => seq > client.excusedUpTo)).toEqual(due);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('ends the subscriptions of one user only', async () => {
    const log = new MemoryLog();
    const hub = await hubOn(log);
    const [one, two] = [new Client('one'), Object.assign(new Client('two'), { user: 'bob' })];
    await one.subscribe(hub);
    await two.subscribe(hub);
    hub.remove('bob');
    expect([one.subscribed, two.subscribed]).toEqual([true, false]);
    expect(hub.subscribers.size).toBe(1);
  });

  it('tells subscribers to start again when the stream has another history', async () => {
    const log = new MemoryLog();
    const hub = await hubOn(log);
    const client = new Client('one');
    await client.subscribe(hub);
    log.epoch = 'another';
    await hub.resync();
    expect(hub.closed).toBe(true);
    expect(client.subscribed).toBe(false);
    await expect(client.subscribe(hub)).rejects.toMatchObject({ code: 'unavailable' });
  });
});
