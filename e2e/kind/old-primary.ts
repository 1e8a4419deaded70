import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { eventually } from '../eventually.ts';
import type { PodView } from '../resources.ts';

/**
 * Runs inside the primary's container, in its network: a client that stays connected to it whatever happens to the
 * network of its machine. It writes numbers to one key by RESP and prints each answer.
 */
const program = (key: string): string => `
const net = require('node:net');
const key = ${JSON.stringify(key)};
let number = 0;
const connect = () => {
  const socket = net.connect(6379, process.env.QUARTET_POD_IP);
  let pending;
  const next = () => {
    number++;
    pending = { number, asked: Date.now() };
    socket.write('*3\\r\\n$3\\r\\nSET\\r\\n$' + key.length + '\\r\\n' + key + '\\r\\n$' + String(number).length + '\\r\\n' + number + '\\r\\n');
    console.log(JSON.stringify({ asked: number, at: Date.now() }));
  };
  socket.on('connect', next);
  socket.on('data', (data) => {
    const answer = data.toString();
    console.log(JSON.stringify({ number: pending.number, at: Date.now(), answer: answer.slice(0, 100) }));
    setTimeout(next, 50);
  });
  socket.setTimeout(5000, () => socket.destroy());
  socket.on('error', () => {});
  socket.on('close', () => setTimeout(connect, 200));
};
connect();
`;

const line = z.union([
  z.object({ asked: z.number(), at: z.number() }),
  z.object({ number: z.number(), at: z.number(), answer: z.string() }),
]);

/** One acknowledged write. */
export interface Acknowledgement {
  readonly number: number;
  /** When it was acknowledged, ms since the epoch. */
  readonly at: number;
}

/** A client of one member of a database, beside it on its machine. */
export class OldPrimary {
  readonly acknowledged: Acknowledgement[] = [];
  /** When each write was asked for, ms since the epoch. */
  readonly asked: number[] = [];
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Starts to write `key`, which must belong to the shard that the pod leads; resolves at the first acknowledgement. */
  static async start({ node, containers }: PodView, key: string): Promise<OldPrimary> {
    const [id = ''] = containers;
    const exec = ['exec', node, 'ctr', '-n', 'k8s.io', 'tasks', 'exec', '--exec-id', `old-primary-${Date.now()}`, id];
    const child = spawn('docker', [...exec, 'node', '-e', program(key)], { stdio: ['ignore', 'pipe', 'inherit'] });
    const client = new OldPrimary(child);
    createInterface({ input: child.stdout }).on('line', (text) => client.#read(text));
    await eventually(async () => {
      if (client.acknowledged.length === 0) throw new Error(`the primary on ${node} acknowledges nothing`);
    }, 20_000);
    return client;
  }

  /** Ends when the container does, too. */
  stop(): void {
    this.#child.kill('SIGKILL');
  }

  #read(text: string): void {
    const said = line.safeParse(safeJson(text));
    if (!said.success) return;
    if ('asked' in said.data) this.asked.push(said.data.at);
    else if (said.data.answer.startsWith('+OK')) {
      this.acknowledged.push({ number: said.data.number, at: said.data.at });
    }
  }
}

const safeJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
