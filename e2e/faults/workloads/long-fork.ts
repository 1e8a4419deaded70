import { setTimeout as sleep } from 'node:timers/promises';
import { checkLongFork } from '../checks/long-fork.ts';
import { gatewayOf, groupsOf, lettersOf, type Lane, type Place, type Spread, type Workload } from './workload.ts';

/** Keys of a group are written once each, by different clients; readers of the group must agree about the order. */
const name = 'long-fork';
const keysOfGroup = 3;
const groupMs = 500;

const keysAt = (letters: readonly string[], elapsed: number): string[] =>
  letters.map((letter, i) => `${letter}-fork-${Math.floor(elapsed / groupMs)}-${i}`);

const writer = (letters: readonly string[], index: number): Lane['step'] => {
  let last = '';
  return async (worker) => {
    const key = keysAt(letters, worker.elapsed())[index] ?? '';
    if (key === last) return;
    last = key;
    await sleep(worker.random.below(groupMs / 2));
    await worker.history.record({ workload: name, client: worker.name, f: 'write', input: key }, () =>
      worker.client.send('SET', key, '1'),
    );
  };
};

const reader =
  (letters: readonly string[]): Lane['step'] =>
  async (worker) => {
    const keys = keysAt(letters, worker.elapsed());
    await worker.history.record({ workload: name, client: worker.name, f: 'read', input: keys }, async () => {
      const ended = await worker.client.transaction([['MGET', ...keys]]);
      if (ended.outcome !== 'ok') return ended;
      return { outcome: 'ok', output: (ended.output[0] as unknown[]).map((reply) => reply !== null) };
    });
  };

export const longFork = (places: readonly Place[], spread: Spread): Workload => ({
  name,
  lanes: () =>
    groupsOf(places, spread).flatMap((place) => {
      const { letter, gateways, members } = place;
      const letters = lettersOf(places, place, spread, keysOfGroup);
      const writers = letters.map((_, i) => ({
        name: `fork-${letter}-writer-${i}`,
        address: gatewayOf(place, i),
        everyMs: groupMs / 4,
        step: writer(letters, i),
      }));
      const readers = [...gateways, ...members].map((address, i) => ({
        name: `fork-${letter}-reader-${i}`,
        address,
        everyMs: 50,
        step: reader(letters),
      }));
      return [...writers, ...readers];
    }),
  check: checkLongFork,
});
