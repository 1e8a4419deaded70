import { setTimeout as sleep } from 'node:timers/promises';
import { Centrifuge, errorCodes, type Subscription } from 'centrifuge';
import { WebSocket } from 'ws';
import { OutageClock } from './outage.ts';

/** What a conversation ended with. */
export interface ConversationReport {
  readonly acknowledged: number;
  /** Messages whose publication failed or got no answer; nothing is claimed about them. */
  readonly errors: number;
  readonly received: number;
  /** Acknowledged messages that the listener never got. */
  readonly missing: readonly number[];
  /** Messages that the listener got more than once. */
  readonly doubled: readonly number[];
  /** Whether the listener's copies came in the order of their acknowledgements. */
  readonly ordered: boolean;
}

const client = (url: string, user: string): Centrifuge =>
  new Centrifuge(url, {
    websocket: WebSocket,
    data: { user },
    minReconnectDelay: 50,
    maxReconnectDelay: 500,
    timeout: 5_000,
    maxServerPingDelay: 5_000,
  });

/** A request without an answer; the library rejects with a shape of its own. */
const isTimeout = (error: unknown): boolean => (error as { code?: number } | null)?.code === errorCodes.timeout;

/** One user numbers messages, another listens; both are unmodified `centrifuge` clients. */
export class ChatConversation {
  readonly outage = new OutageClock();
  readonly #speaker: Centrifuge;
  readonly #listener: Centrifuge;
  readonly #speakerRoom: Subscription;
  readonly #listenerRoom: Subscription;
  readonly #stop = new AbortController();
  readonly #paceMs: number;
  readonly #acknowledged: number[] = [];
  readonly #heard: number[] = [];
  #running: Promise<void> = Promise.resolve();
  #errors = 0;

  /** @param paceMs rest between two messages */
  constructor(url: string, room: string, name: string, paceMs = 5) {
    this.#paceMs = paceMs;
    this.#speaker = client(url, `${name}-speaker`);
    this.#listener = client(url, `${name}-listener`);
    const channel = `room:${room}`;
    this.#speakerRoom = this.#speaker.newSubscription(channel, { recoverable: true, positioned: true });
    this.#listenerRoom = this.#listener.newSubscription(channel, { recoverable: true, positioned: true });
    this.#listenerRoom.on('publication', ({ data }) => {
      const { metadata } = data as { metadata?: { conversation?: string; number?: number } };
      if (metadata?.conversation === name && metadata.number !== undefined) this.#heard.push(metadata.number);
    });
    this.#name = name;
  }

  readonly #name: string;

  /** Connects both and starts to speak. */
  async start(): Promise<void> {
    for (const [connection, subscription] of [
      [this.#listener, this.#listenerRoom],
      [this.#speaker, this.#speakerRoom],
    ] as const) {
      subscription.subscribe();
      connection.connect();
      await subscription.ready(10_000);
    }
    this.outage.reset();
    this.#running = this.#speak();
  }

  get acknowledged(): number {
    return this.#acknowledged.length;
  }

  /** Stops speaking, waits until the listener has all or `waitMs` is over, and compares. */
  async finish(waitMs = 45_000): Promise<ConversationReport> {
    this.#stop.abort();
    await this.#running;
    const deadline = Date.now() + waitMs;
    while (Date.now() < deadline && this.#missing().length > 0) await sleep(50);
    const heard = this.#heard;
    const report = {
      acknowledged: this.#acknowledged.length,
      errors: this.#errors,
      received: heard.length,
      missing: this.#missing(),
      doubled: heard.filter((number, at) => heard.indexOf(number) !== at),
      ordered: heard.every((number, at) => at === 0 || (heard[at - 1] ?? 0) < number),
    };
    this.#speaker.disconnect();
    this.#listener.disconnect();
    return report;
  }

  #missing(): number[] {
    const heard = new Set(this.#heard);
    return this.#acknowledged.filter((number) => !heard.has(number));
  }

  async #speak(): Promise<void> {
    for (let number = 1; !this.#stop.signal.aborted; number++) {
      try {
        const metadata = { conversation: this.#name, number };
        await this.#speakerRoom.publish({ content: `message ${number}`, metadata });
        this.#acknowledged.push(number);
        this.outage.success();
        await sleep(this.#paceMs);
      } catch (error) {
        this.#errors++;
        if (isTimeout(error)) this.#reconnect();
        await sleep(50);
      }
    }
  }

  /** What a chat window does when a message got no answer: it does not wait for the next ping of a dead gateway. */
  #reconnect(): void {
    this.#speaker.disconnect();
    this.#speaker.connect();
  }
}
