import { connect, type Socket } from 'node:net';
import { encodeCommand } from '../resp/frame.ts';
import { decodeReply, type Reply } from '../resp/reply.ts';

/** A RESP client without any manners: sends bytes as they are, and answers replies in order. */
export class RawClient {
  readonly socket: Socket;
  #held: Buffer = Buffer.alloc(0);
  #replies: Reply[] = [];
  #waiting: ((reply: Reply | undefined) => void)[] = [];
  #closed = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.#data(chunk));
    socket.on('error', () => {});
    socket.on('end', () => this.#close());
    socket.on('close', () => this.#close());
  }

  /** Sends a command and answers its reply. Rejects when the connection ends first. */
  async command(...args: (string | Buffer)[]): Promise<Reply> {
    this.socket.write(encodeCommand(args));
    const reply = await this.next();
    if (reply === undefined) throw new Error('the connection ended');
    return reply;
  }

  write(bytes: string | Buffer): void {
    this.socket.write(bytes);
  }

  /** The next reply; undefined when the connection ends first. */
  next(): Promise<Reply | undefined> {
    if (this.#replies.length > 0 || this.#closed) return Promise.resolve(this.#replies.shift());
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async many(count: number): Promise<(Reply | undefined)[]> {
    const replies: (Reply | undefined)[] = [];
    for (let i = 0; i < count; i++) replies.push(await this.next());
    return replies;
  }

  close(): void {
    this.socket.destroy();
  }

  #data(chunk: Buffer): void {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    let at = 0;
    for (
      let found = decodeReply(this.#held, at);
      found !== null;
      found = at < this.#held.length ? decodeReply(this.#held, at) : null
    ) {
      at = found.next;
      const waiting = this.#waiting.shift();
      if (waiting) waiting(found.reply);
      else this.#replies.push(found.reply);
    }
    this.#held = this.#held.subarray(at);
  }

  #close(): void {
    this.#closed = true;
    for (const waiting of this.#waiting.splice(0)) waiting(undefined);
  }
}

export const rawClient = (port: number, host = '127.0.0.1'): Promise<RawClient> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host, allowHalfOpen: true }, () => resolve(new RawClient(socket)));
    socket.once('error', reject);
  });

/** A reply as tests write it down: bulk strings as text, errors as `-text`. */
export const plain = (reply: Reply | undefined): unknown => {
  if (reply === undefined) return undefined;
  if (reply instanceof Error) return `-${reply.message}`;
  if (Buffer.isBuffer(reply)) return reply.toString();
  if (Array.isArray(reply)) return reply.map(plain);
  if (typeof reply === 'object' && reply !== null && 'pairs' in reply) {
    return Object.fromEntries(reply.pairs.map(([key, value]) => [String(plain(key)), plain(value)]));
  }
  return reply;
};
