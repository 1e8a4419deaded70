import { checkSet } from '../checks/set.ts';
import type { Operation } from '../history.ts';
import { gatewayOf, insist, type Lane, type Place, type Worker, type Workload } from './workload.ts';

/** Elements are added, each once; what was acknowledged has to be there ever after, what was refused must not. */
const name = 'set';
/** Elements that one last read asks for. */
const readAtOnce = 200;

const adder = (letter: string): Lane['step'] => {
  let number = 0;
  return async (worker) => {
    const element = `${letter}-set-${worker.name}-${number++}`;
    await worker.history.record({ workload: name, client: worker.name, f: 'add', input: element }, () =>
      worker.client.send('SET', element, '1'),
    );
  };
};

/** Looks for elements; answers which are there. */
const look = (worker: Worker, elements: readonly string[]) =>
  worker.history.record({ workload: name, client: worker.name, f: 'read', input: elements }, async () => {
    const got = await worker.client.send('MGET', ...elements);
    if (got.outcome !== 'ok') return got;
    const found = got.output as readonly unknown[];
    return { outcome: 'ok', output: elements.filter((_, i) => found[i] !== null) };
  });

const added = (operations: readonly Operation[], letter: string): string[] =>
  operations
    .filter((it) => it.workload === name && it.f === 'add')
    .flatMap((it) => {
      const element = it.input as string;
      return element.startsWith(letter) ? [element] : [];
    });

/** Looks for some of the elements that were tried last. */
const reader =
  (letter: string): Lane['step'] =>
  async (worker) => {
    const recent = added(worker.history.operations.slice(-500), letter);
    if (recent.length > 0) await look(worker, worker.random.shuffled(recent).slice(0, 5));
  };

export const set = (places: readonly Place[]): Workload => ({
  name,
  lanes: () =>
    places.flatMap(({ letter, gateways, members }) => [
      ...[...gateways, ...members].map((address, i) => ({
        name: `set-${letter}-adder-${i}`,
        address,
        everyMs: 60,
        step: adder(letter),
      })),
      { name: `set-${letter}-reader`, address: gatewayOf({ gateways }, 0), everyMs: 100, step: reader(letter) },
    ]),
  async finish(worker) {
    for (const { letter } of places) {
      const elements = added(worker.history.operations, letter);
      for (let at = 0; at < elements.length; at += readAtOnce) {
        const some = elements.slice(at, at + readAtOnce);
        await insist(() => look(worker, some), 'read the elements');
      }
    }
  },
  check: checkSet,
});
