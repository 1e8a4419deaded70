import { checkBank } from '../checks/bank.ts';
import {
  groupsOf,
  insist,
  lettersOf,
  type Lane,
  type Place,
  type Spread,
  type Worker,
  type Workload,
} from './workload.ts';
import { text } from './register.ts';

/** Money moves between accounts, in transactions; every read of all accounts has to find all of the money. */
const name = 'bank';
const accounts = 8;
const initial = 100;

export interface BankInput {
  /** Which bank; each is a world of its own. */
  readonly bank: string;
  readonly total: number;
}

const keysOf = (letters: readonly string[]): string[] => letters.map((letter, i) => `${letter}-bank-${i}`);

const readAll = (worker: Worker, bank: string, keys: readonly string[]) =>
  worker.history.record(
    { workload: name, client: worker.name, f: 'read', input: { bank, total: accounts * initial } satisfies BankInput },
    async () => {
      const ended = await worker.client.transaction([['MGET', ...keys]]);
      if (ended.outcome !== 'ok') return ended;
      return { outcome: 'ok', output: (ended.output[0] as unknown[]).map((reply) => Number(text(reply) || NaN)) };
    },
  );

/** Looks at both accounts first, and moves money only if nothing changed meanwhile. */
const careful = async (worker: Worker, from: string, to: string, amount: number) => {
  const { client } = worker;
  if ((await client.send('WATCH', from, to)).outcome !== 'ok') return { outcome: 'fail', why: 'no answer' } as const;
  const [a, b] = [await client.send('GET', from), await client.send('GET', to)];
  if (a.outcome !== 'ok' || b.outcome !== 'ok') {
    client.close();
    return { outcome: 'fail', why: 'no answer' } as const;
  }
  const [left, right] = [Number(text(a.output)), Number(text(b.output))];
  return client.transaction([
    ['SET', from, String(left - amount)],
    ['SET', to, String(right + amount)],
  ]);
};

const blind = (worker: Worker, from: string, to: string, amount: number) =>
  worker.client.transaction([
    ['DECRBY', from, String(amount)],
    ['INCRBY', to, String(amount)],
  ]);

const step =
  (bank: string, keys: readonly string[]): Lane['step'] =>
  async (worker) => {
    const { random } = worker;
    const [from = '', to = ''] = random.shuffled(keys);
    const amount = 1 + random.below(5);
    if (random.chance(0.4)) return void (await readAll(worker, bank, keys));
    const input = { bank, from, to, amount };
    const move = random.chance(0.5) ? careful : blind;
    await worker.history.record({ workload: name, client: worker.name, f: 'transfer', input }, () =>
      move(worker, from, to, amount),
    );
  };

export const bank = (places: readonly Place[], spread: Spread): Workload => {
  const banks = groupsOf(places, spread).map((place) => ({
    ...place,
    keys: keysOf(lettersOf(places, place, spread, accounts)),
  }));
  return {
    name,
    lanes: () =>
      banks.flatMap(({ letter, keys, gateways, members }) =>
        [...gateways, ...members.slice(1, 2)].map((address, i) => ({
          name: `bank-${letter}-${i}`,
          address,
          everyMs: 60,
          step: step(letter, keys),
        })),
      ),
    async setUp(worker) {
      for (const { keys } of banks) {
        const deposit = keys.map((key) => ['SET', key, String(initial)]);
        await insist(() => worker.client.transaction(deposit), 'open the accounts');
      }
    },
    async finish(worker) {
      for (const { letter, keys } of banks) {
        await insist(() => readAll(worker, letter, keys), 'read the accounts');
      }
    },
    check: checkBank,
  };
};
