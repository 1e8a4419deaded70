import { expect, test } from 'vitest';
import { BackupError } from './backup-error.ts';
import { eachOf, patiently } from './patience.ts';

const never = new AbortController().signal;

test('one that fails stops the others, and all have ended then', async () => {
  const ended: string[] = [];
  const work = eachOf(['good', 'bad', 'later'], { atOnce: 2, signal: never }, async (name, signal) => {
    if (name === 'bad') throw new BackupError('storage', 'no space');
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    ended.push(name);
  });
  await expect(work).rejects.toThrow('no space');
  expect(ended).toEqual(['good']);
});

test('results come in the order of what was asked for', async () => {
  const found = await eachOf([3, 1, 2], { atOnce: 3, signal: never }, async (one) => one * 10);
  expect(found).toEqual([30, 10, 20]);
});

test('what is unreachable is tried again; what is refused is not', async () => {
  let tries = 0;
  const found = await patiently(
    async () => {
      if (++tries < 3) throw new BackupError('unreachable', 'not now');
      return tries;
    },
    { signal: never, forMs: 10_000 },
  );
  expect(found).toBe(3);
  let refusals = 0;
  const refuse = async (): Promise<void> => {
    refusals++;
    throw new BackupError('storage', 'no');
  };
  await expect(patiently(refuse, { signal: never, forMs: 10_000 })).rejects.toThrow('no');
  expect(refusals).toBe(1);
});

test('patience ends', async () => {
  const away = (): Promise<void> => Promise.reject(new BackupError('unreachable', 'away'));
  await expect(patiently(away, { signal: never, forMs: 100 })).rejects.toThrow('away');
});
