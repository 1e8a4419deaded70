// The clients, in a process of their own: listeners on raw sockets, and senders that keep one message in flight each.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { FrameCounter } from './frame-counter.ts';

/** What the parent asks for. */
export interface CrowdOrder {
  readonly kind: 'plain' | 'quartet';
  readonly port: number;
  readonly listeners: number;
  readonly senders: number;
  readonly contentBytes: number;
}

/** Either a number of seconds as fast as it goes, or a steady rate. */
export type Phase = { readonly seconds: number; readonly perSecond: number | null };

export interface PhaseResult {
  readonly deliveries: number;
  readonly sent: number;
  readonly seconds: number;
  readonly p50: number;
  readonly p99: number;
}

/** A masked text frame with the mask 0: valid for a server, cheap for us. */
const clientFrame = (text: string): Buffer => {
  const body = Buffer.from(text);
  const header =
    body.length < 126
      ? Buffer.from([0x81, 0x80 | body.length, 0, 0, 0, 0])
      : Buffer.from([0x81, 0xfe, body.length >> 8, body.length & 255, 0, 0, 0, 0]);
  return Buffer.concat([header, body]);
};

const upgrade = async (port: number, path: string): Promise<Socket> => {
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  await once(socket, 'connect');
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n\r\n`,
  );
  await once(socket, 'data');
  return socket;
};

class Crowd {
  readonly #order: CrowdOrder;
  readonly #counters: FrameCounter[] = [];
  readonly #senders: { socket: Socket; answered: () => void }[] = [];
  readonly #latencies: number[] = [];

  constructor(order: CrowdOrder) {
    this.#order = order;
  }

  get deliveries(): number {
    return this.#counters.reduce((sum, { messages }) => sum + messages, 0);
  }

  async open(): Promise<void> {
    for (let i = 0; i < this.#order.listeners; i += 50) {
      const some = Math.min(50, this.#order.listeners - i);
      await Promise.all(Array.from({ length: some }, (_, j) => this.#listener(i + j)));
    }
    for (let i = 0; i < this.#order.senders; i++) await this.#sender(i);
    for (const counter of this.#counters) counter.messages = 0;
  }

  async run({ seconds, perSecond }: Phase): Promise<PhaseResult> {
    for (const counter of this.#counters) counter.messages = 0;
    this.#latencies.length = 0;
    const started = performance.now();
    const sent = perSecond === null ? await this.#flood(seconds) : await this.#drip(seconds, perSecond);
    const expected = sent * this.#order.listeners;
    while (this.deliveries < expected && performance.now() - started < (seconds + 10) * 1000) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const sorted = this.#latencies.toSorted((a, b) => a - b);
    const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
    return {
      deliveries: this.deliveries,
      sent,
      seconds: (performance.now() - started) / 1000,
      p50: at(0.5),
      p99: at(0.99),
    };
  }

  async #connect(user: string, onFrame: (text: string) => void): Promise<Socket> {
    const plain = this.#order.kind === 'plain';
    const socket = await upgrade(this.#order.port, plain ? '/' : '/connection/websocket');
    const reader = new FrameCounter(onFrame);
    socket.on('data', (chunk) => reader.take(chunk));
    if (!plain) socket.write(clientFrame(JSON.stringify({ id: 1, connect: { data: { user } } })));
    return socket;
  }

  /** One in 50 listeners reads the time of each message; the others only count. */
  async #listener(index: number): Promise<void> {
    const plain = this.#order.kind === 'plain';
    const socket = await upgrade(this.#order.port, plain ? '/' : '/connection/websocket');
    const ready = Promise.withResolvers<void>();
    const counter = new FrameCounter(index % 50 === 0 ? (text) => this.#sample(text) : undefined);
    socket.on('data', (chunk: Buffer) => {
      if (chunk.includes('"id":2')) ready.resolve();
      counter.take(chunk);
      // the server's ping: an empty reply
      if (chunk.length === 4 && chunk.toString('latin1', 2) === '{}') socket.write(clientFrame('{}'));
    });
    if (plain) ready.resolve();
    else {
      const connectTo = JSON.stringify({ id: 1, connect: { data: { user: `listener-${index}` } } });
      socket.write(clientFrame(`${connectTo}\n${JSON.stringify({ id: 2, subscribe: { channel: 'room:bench' } })}`));
    }
    await ready.promise;
    this.#counters.push(counter);
  }

  async #sender(index: number): Promise<void> {
    const sender = { answered: (): void => {} };
    const user = `sender-${index}`;
    const isMine = (text: string): boolean =>
      this.#order.kind === 'plain' ? text.includes(`"${user}"`) : text.includes('"publish"') || text.includes('"rpc"');
    const socket = await this.#connect(user, (text) => {
      if (isMine(text)) sender.answered();
    });
    this.#senders.push(Object.assign(sender, { socket }));
    if (this.#order.kind === 'plain') return;
    const joined = new Promise<void>((resolve) => (sender.answered = resolve));
    socket.write(clientFrame(JSON.stringify({ id: 2, rpc: { method: 'join', data: { room: 'bench' } } })));
    await joined;
  }

  #send(index: number): void {
    const head = `${performance.now().toFixed(3)} `;
    const content = head + 'x'.repeat(this.#order.contentBytes - head.length);
    const user = `sender-${index}`;
    const message =
      this.#order.kind === 'plain'
        ? { user, content }
        : { id: 3, publish: { channel: 'room:bench', data: { content } } };
    this.#senders[index]?.socket.write(clientFrame(JSON.stringify(message)));
  }

  async #flood(seconds: number): Promise<number> {
    const end = performance.now() + seconds * 1000;
    let sent = 0;
    const one = async (index: number): Promise<void> => {
      while (performance.now() < end) {
        const sender = this.#senders[index];
        if (sender === undefined) return;
        const answered = new Promise<void>((resolve) => (sender.answered = resolve));
        this.#send(index);
        sent++;
        await answered;
      }
    };
    await Promise.all(this.#senders.map((_, index) => one(index)));
    return sent;
  }

  async #drip(seconds: number, perSecond: number): Promise<number> {
    const total = seconds * perSecond;
    for (let i = 0; i < total; i++) {
      this.#send(i % this.#senders.length);
      await new Promise((resolve) => setTimeout(resolve, 1000 / perSecond));
    }
    return total;
  }

  #sample(text: string): void {
    const now = performance.now();
    for (const [, sentAt] of text.matchAll(/"content":"([\d.]+) /g)) this.#latencies.push(now - Number(sentAt));
  }
}

let crowd: Crowd | undefined;
process.on('message', async (message: { open?: CrowdOrder; run?: Phase }) => {
  if (message.open !== undefined) {
    crowd = new Crowd(message.open);
    await crowd.open();
    process.send?.({ opened: true });
  } else if (message.run !== undefined) {
    process.send?.(await crowd?.run(message.run));
  }
});
// the benchmark ended
process.on('disconnect', () => process.exit());
