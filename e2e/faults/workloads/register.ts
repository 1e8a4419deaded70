import { checkRegisters } from '../checks/registers.ts';
import type { Ended } from '../history.ts';
import type { Lane, Place, Worker, Workload } from './workload.ts';

/**
 * Registers: reads, writes, and compare-and-set by WATCH. Every key has to be linearizable. Keys are used for some
 * seconds only, so that checking each is cheap. Members are asked directly too: a deposed primary that still answers
 * reads is only seen there.
 */
const name = 'register';
const keysAtOnce = 3;
const epochMs = 6_000;

export type RegisterF = 'read' | 'write' | 'cas';
/** `from`, `to`: values before and after; '' = there is no value. */
export interface RegisterInput {
  readonly key: string;
  readonly from?: string;
  readonly to?: string;
}

export const text = (reply: unknown): string => (Buffer.isBuffer(reply) ? reply.toString() : '');

const read = (worker: Worker, key: string): Promise<Ended<string>> =>
  worker.history.record({ workload: name, client: worker.name, f: 'read', input: { key } }, async () => {
    const got = await worker.client.send('GET', key);
    return got.outcome === 'ok' ? { outcome: 'ok', output: text(got.output) } : got;
  });

const write = async (worker: Worker, key: string, to: string): Promise<void> => {
  await worker.history.record({ workload: name, client: worker.name, f: 'write', input: { key, to } }, () =>
    worker.client.send('SET', key, to),
  );
};

/** The compare-and-set itself begins with EXEC; the read before it is an operation of its own. */
const compareAndSet = async (worker: Worker, key: string, to: string): Promise<void> => {
  if ((await worker.client.send('WATCH', key)).outcome !== 'ok') return;
  const found = await read(worker, key);
  if (found.outcome !== 'ok') return worker.client.close();
  const input: RegisterInput = { key, from: found.output, to };
  await worker.history.record({ workload: name, client: worker.name, f: 'cas', input }, () =>
    worker.client.transaction([['SET', key, to]]),
  );
};

const writer = (letter: string): Lane['step'] => {
  let number = 0;
  return async (worker) => {
    const key = keyAt(letter, worker);
    const dice = worker.random.next();
    if (dice < 0.15) await read(worker, key);
    else if (dice < 0.7) await write(worker, key, `${worker.name}.${number++}`);
    else await compareAndSet(worker, key, `${worker.name}.${number++}`);
  };
};

const keyAt = (letter: string, worker: Worker): string =>
  `${letter}-register-${Math.floor(worker.elapsed() / epochMs)}-${worker.random.below(keysAtOnce)}`;

export const register = (places: readonly Place[]): Workload => ({
  name,
  lanes: () =>
    places.flatMap(({ letter, members, gateways }) => [
      ...gateways.map((address, i) => ({
        name: `register-${letter}-writer-${i}`,
        address,
        everyMs: 50,
        step: writer(letter),
      })),
      ...[...members, ...gateways].map((address, i) => ({
        name: `register-${letter}-reader-${i}`,
        address,
        everyMs: 25,
        step: async (worker: Worker) => void (await read(worker, keyAt(letter, worker))),
      })),
    ]),
  check: checkRegisters,
});
