import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { encodeCommand } from '../../dataplane/db/resp/frame.ts';
import { decodeReply, ReplyError, type Reply } from '../../dataplane/db/resp/reply.ts';
import type { Ended } from './history.ts';

/** How long a reply may take, milliseconds. Shorter than the gateway's own 10 s, so that clients stay busy. */
const replyMs = 5_000;
const connectMs = 1_000;

/** These errors say that nothing was done. */
const surelyNotDone = /^(TRYAGAIN|OOM|CLUSTERDOWN|EXECABORT|CROSSSHARD) /;

/** An error reply that no fault explains: the database or the test is wrong. */
export class UnexpectedReply extends Error {
  override readonly name = 'UnexpectedReply';
}

/** Where a server speaks RESP. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

export type Command = readonly string[];

/** Commands of a transaction and what is done with their replies. */
const judged = (reply: Reply): Ended<Reply> => {
  if (!(reply instanceof ReplyError)) return { outcome: 'ok', output: reply };
  if (surelyNotDone.test(reply.message)) return { outcome: 'fail', why: reply.message };
  if (reply.message.startsWith('UNKNOWN ')) return { outcome: 'info', why: reply.message };
  throw new UnexpectedReply(reply.message);
};

/**
 * A client with one connection, made when it is needed and thrown away when an answer does not come. It repeats
 * nothing and guesses nothing.
 */
export class Client {
  readonly #address: Address;
  #socket: Socket | null = null;
  #held = Buffer.alloc(0);
  #replies: Reply[] = [];
  #garbage: string | null = null;
  #wake: () => void = () => {};

  constructor(address: Address) {
    this.#address = address;
  }

  /** Sends one command. */
  async send(...command: string[]): Promise<Ended<Reply>> {
    const replies = await this.#exchange([command]);
    return 'why' in replies ? replies : judged(replies.output[0] ?? null);
  }

  /** MULTI, the commands, EXEC, in one go. A watched key that changed is a failure. */
  async transaction(commands: readonly Command[]): Promise<Ended<readonly Reply[]>> {
    const replies = await this.#exchange([['MULTI'], ...commands, ['EXEC']]);
    if ('why' in replies) return replies;
    const ended = judged(replies.output.at(-1) ?? null);
    if (ended.outcome !== 'ok') return ended;
    if (!Array.isArray(ended.output)) return { outcome: 'fail', why: 'a watched key changed' };
    const results = ended.output as readonly Reply[];
    for (const result of results) if (result instanceof ReplyError) throw new UnexpectedReply(result.message);
    return { outcome: 'ok', output: results };
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = null;
  }

  async #exchange(commands: readonly Command[]): Promise<Ended<readonly Reply[]>> {
    const socket = this.#socket ?? (await this.#connect());
    if (socket === null) return { outcome: 'fail', why: 'no connection' };
    socket.write(Buffer.concat(commands.map((command) => encodeCommand([...command]))));
    const timer = setTimeout(() => socket.destroy(), replyMs);
    while (this.#replies.length < commands.length && !socket.destroyed) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    clearTimeout(timer);
    if (this.#garbage !== null) throw new UnexpectedReply(`not RESP: ${this.#garbage}`);
    if (this.#replies.length < commands.length) return { outcome: 'info', why: 'no answer' };
    return { outcome: 'ok', output: this.#replies.splice(0) };
  }

  async #connect(): Promise<Socket | null> {
    const socket = connect({ ...this.#address, noDelay: true });
    socket.on('error', () => {});
    const timer = setTimeout(() => socket.destroy(), connectMs);
    await Promise.race([once(socket, 'connect').catch(() => {}), once(socket, 'close').catch(() => {})]);
    clearTimeout(timer);
    if (socket.destroyed) return null;
    this.#held = Buffer.alloc(0);
    this.#replies = [];
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#data(chunk));
    socket.on('end', () => socket.destroy());
    socket.on('close', () => {
      if (this.#socket === socket) this.#socket = null;
      this.#wake();
    });
    return socket;
  }

  #data(chunk: Buffer): void {
    this.#held = Buffer.concat([this.#held, chunk]);
    for (let found = decodeReply(this.#held, 0); found !== null;) {
      this.#replies.push(found.reply);
      this.#held = this.#held.subarray(found.next);
      found = this.#held.length === 0 ? null : decodeReply(this.#held, 0);
    }
    this.#wake();
  }
}
