import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { until, type Heard } from './world.ts';

/** For integration tests: somebody who talks until told to stop. */
export interface Talker {
  /** Contents whose storing was acknowledged, in order. */
  readonly acknowledged: readonly string[];
  stop(): Promise<void>;
}

/** Publishes numbered messages until told to stop, each until it is acknowledged. */
export const talker = (heard: Heard, name: string): Talker => {
  const acknowledged: string[] = [];
  const stopping = new AbortController();
  const run = (async () => {
    for (let i = 0; !stopping.signal.aborted; i++) {
      const content = `${name} ${i}`;
      // the id makes sending again safe when the outcome of the first attempt is unknown
      for (let done = false; !done;) {
        done = await heard.subscription.publish({ content, id: `${name}-${i}` }).then(
          () => true,
          () => sleep(20, false),
        );
      }
      acknowledged.push(content);
      await sleep(2);
    }
  })();
  return {
    acknowledged,
    stop: async () => {
      stopping.abort();
      await run;
    },
  };
};

/** Waits until the listener got as many, then: it got every acknowledged message, none twice, in the order of the stream. */
export const expectExact = async (heard: Heard, acknowledged: readonly string[]): Promise<void> => {
  await until('all messages arrived', () => heard.publications.length >= acknowledged.length, 20_000);
  const contents = heard.contents();
  expect(new Set(contents).size).toBe(contents.length);
  expect(new Set(contents)).toEqual(new Set(acknowledged));
  const offsets = heard.publications.map(({ offset }) => offset ?? 0);
  expect(offsets).toEqual([...offsets].sort((a, b) => a - b));
};
