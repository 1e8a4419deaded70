import { checkListAppend, type MicroOperation } from '../checks/list-append.ts';
import type { Command } from '../client.ts';
import type { Ended } from '../history.ts';
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

/**
 * Transactions of appends to lists and reads of lists: the order of writes can be read off the lists, so cycles between
 * transactions can be found. A list is a string with commas.
 */
const name = 'list-append';
const keysAtOnce = 4;
const epochMs = 4_000;
/** Lists that one last read asks for. */
const readAtOnce = 50;

const elements = (reply: unknown): string[] => text(reply).split(',').filter(Boolean);

const commandOf = (operation: MicroOperation): Command =>
  operation.f === 'append' ? ['APPEND', operation.key, `${operation.value},`] : ['GET', operation.key];

const filled = (input: readonly MicroOperation[], replies: readonly unknown[]): MicroOperation[] =>
  input.map((operation, i) => (operation.f === 'append' ? operation : { ...operation, list: elements(replies[i]) }));

const inOneGo = async (worker: Worker, input: readonly MicroOperation[]): Promise<Ended<MicroOperation[]>> => {
  const ended = await worker.client.transaction(input.map(commandOf));
  return ended.outcome === 'ok' ? { outcome: 'ok', output: filled(input, ended.output) } : ended;
};

/** Reads under WATCH first, then appends: all or nothing as well. */
const watched = async (worker: Worker, input: readonly MicroOperation[]): Promise<Ended<MicroOperation[]>> => {
  const reads = input.filter(({ f }) => f === 'read');
  const seen = await worker.client.send('WATCH', ...reads.map(({ key }) => key));
  if (seen.outcome !== 'ok') return { outcome: 'fail', why: seen.why };
  const lists: unknown[] = [];
  for (const { key } of reads) {
    const got = await worker.client.send('GET', key);
    if (got.outcome !== 'ok') {
      worker.client.close();
      return { outcome: 'fail', why: got.why };
    }
    lists.push(got.output);
  }
  const appends = input.filter(({ f }) => f === 'append');
  const ended = await worker.client.transaction(appends.map(commandOf));
  return ended.outcome === 'ok' ? { outcome: 'ok', output: [...filled(reads, lists), ...appends] } : ended;
};

const step = (letters: readonly string[]): Lane['step'] => {
  let number = 0;
  return async (worker) => {
    const { random } = worker;
    const epoch = Math.floor(worker.elapsed() / epochMs);
    const input = Array.from({ length: 1 + random.below(4) }, (): MicroOperation => {
      const index = random.below(letters.length);
      const key = `${letters[index]}-list-${epoch}-${index}`;
      return random.chance(0.5) ? { f: 'append', key, value: `${worker.name}.${number++}` } : { f: 'read', key };
    });
    const both = input.some(({ f }) => f === 'read') && input.some(({ f }) => f === 'append');
    // Under WATCH the reads come before the appends, whatever their order was.
    const run = both && random.chance(0.4) ? watched : inOneGo;
    const sorted = run === watched ? input.toSorted((a, b) => Number(b.f === 'read') - Number(a.f === 'read')) : input;
    await worker.history.record({ workload: name, client: worker.name, f: 'transaction', input: sorted }, () =>
      run(worker, sorted),
    );
  };
};

const readAll = async (worker: Worker): Promise<void> => {
  const keys = new Set(
    worker.history.operations
      .filter((operation) => operation.workload === name)
      .flatMap(({ input }) => (input as MicroOperation[]).map(({ key }) => key)),
  );
  // The first letter says the shard.
  const sorted = [...keys].sort();
  for (let at = 0; at < sorted.length; at += readAtOnce) {
    const input = sorted.slice(at, at + readAtOnce).map((key): MicroOperation => ({ f: 'read', key }));
    for (const some of Map.groupBy(input, ({ key }) => key[0]).values()) await readTogether(worker, some);
  }
};

const readTogether = async (worker: Worker, input: readonly MicroOperation[]): Promise<void> => {
  const about = { workload: name, client: worker.name, f: 'transaction', input };
  await insist(() => worker.history.record(about, () => inOneGo(worker, input)), 'read the lists');
};

export const listAppend = (places: readonly Place[], spread: Spread): Workload => ({
  name,
  lanes: () =>
    groupsOf(places, spread).flatMap((place) =>
      [...place.gateways, ...place.gateways, ...place.members.slice(0, 1)].map((address, i) => ({
        name: `${place.letter}${i}`,
        address,
        everyMs: 60,
        step: step(lettersOf(places, place, spread, keysAtOnce)),
      })),
    ),
  finish: readAll,
  check: checkListAppend,
});
