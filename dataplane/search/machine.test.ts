import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CommittedEntry, Position } from '../replica/state-machine.ts';
import { SearchMachine } from './machine.ts';
import { encodeOperation } from './store/operation.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'quartet-machine-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const info = { uuid: 'u', createdAt: 1, shards: 1, analyzer: 'plain' as const };
const create = encodeOperation({ type: 'create-index', info, mappings: { dynamic: 'true', fields: [] } });
const put = (i: number, version = 1): Uint8Array =>
  encodeOperation(
    { type: 'index', id: `d${i}`, version, seqNo: i, nonce: `n${i}-${version}`, result: 'created' },
    Buffer.from(JSON.stringify({ body: `word${i % 10} version${version}`, n: i })),
  );
const remove = (i: number): Uint8Array =>
  encodeOperation({ type: 'delete', id: `d${i}`, version: 9, seqNo: 10_000 + i, nonce: `r${i}` });

/** A log of 200 entries: creation, documents, rewrites, deletions. */
const log: CommittedEntry[] = Array.from({ length: 200 }, (_, i) => {
  const operations =
    i === 0 ? [create] : i % 10 === 7 ? [remove(i - 3)] : i % 10 === 8 ? [put(i - 2, 2)] : [put(i), put(1000 + i)];
  return { seq: i + 1, term: 1, time: i, operations };
});
const positionAt = (seq: number): Position => ({ seq, term: 1, log: 'log', chain: `c${seq}`, time: seq });

/** Applies entries with sequences in (from, to]. */
async function applyRange(machine: SearchMachine, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += 20) {
    const end = Math.min(to, at + 20);
    await machine.apply(log.slice(at, end), positionAt(end));
  }
}

/** Everything that a client can see of the documents. */
function contents(machine: SearchMachine): Record<string, string> {
  const { documents } = machine.store;
  const found: Record<string, string> = {};
  for (let i = 0; i < 1300; i++) {
    const stored = documents.find(`d${i}`);
    if (stored !== null)
      found[`d${i}`] = `${stored.version}/${stored.seqNo}/${stored.primaryTerm}/${Buffer.from(stored.source)}`;
  }
  return found;
}

async function whole(): Promise<Record<string, string>> {
  const machine = await SearchMachine.open(join(directory, 'whole'));
  await applyRange(machine, 0, 200);
  return contents(machine);
}

describe('a search machine', () => {
  it('that crashes at any place is made whole by the log from its position', async () => {
    const expected = await whole();
    for (const [flushAt, crashAt] of [
      [0, 50],
      [20, 20],
      [60, 140],
      [140, 200],
    ] as const) {
      const path = join(directory, `crash-${flushAt}-${crashAt}`);
      const before = await SearchMachine.open(path);
      await applyRange(before, 0, flushAt);
      if (flushAt > 0) await before.flush();
      await applyRange(before, flushAt, crashAt);
      // no close: what was not flushed is lost, as in a crash
      const after = await SearchMachine.open(path);
      const resumed = after.position()?.seq ?? 0;
      expect(resumed).toBe(flushAt);
      await applyRange(after, resumed, 200);
      expect(contents(after)).toEqual(expected);
      expect(after.store.documents.count).toBe(Object.keys(expected).length);
    }
  });

  it('keeps its state when files of an interrupted flush lie around, and removes them later', async () => {
    const path = join(directory, 'interrupted');
    const machine = await SearchMachine.open(path);
    await applyRange(machine, 0, 100);
    await machine.flush();
    await writeFile(join(path, 'manifest.json.new'), 'half a mani');
    await writeFile(join(path, '00000000-0000-0000-0000-000000000000.seg'), 'half a segment');
    const again = await SearchMachine.open(path);
    expect(again.position()).toEqual(positionAt(100));
    await applyRange(again, 100, 200);
    await again.flush();
    expect(contents(again)).toEqual(await whole());
    expect(await readdir(path)).not.toContain('00000000-0000-0000-0000-000000000000.seg');
  });

  it('refuses a store with a damaged file', async () => {
    const path = join(directory, 'damaged');
    const machine = await SearchMachine.open(path);
    await applyRange(machine, 0, 100);
    await machine.flush();
    const file = (await readdir(path)).find((name) => name.endsWith('.seg')) ?? '';
    await writeFile(join(path, file), 'garbage');
    await expect(SearchMachine.open(path)).rejects.toMatchObject({ code: 'damaged' });
  });

  it('gives a snapshot of one position while writes and merges go on, and restores it', async () => {
    const source = await SearchMachine.open(join(directory, 'source'));
    await applyRange(source, 0, 120);
    const snapshot = await source.snapshot();
    const target = await SearchMachine.open(join(directory, 'target'));
    const chunks = snapshot.chunks[Symbol.asyncIterator]();
    const received: Uint8Array[] = [];
    let from = 120;
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) {
      received.push(next.value.slice());
      if (from < 200) await applyRange(source, from, (from += 20));
      await source.settled();
      await source.flush();
    }
    await applyRange(source, from, 200);
    await snapshot.release();
    async function* replay(): AsyncGenerator<Uint8Array> {
      yield* received;
    }
    await target.restore(snapshot.position, replay());
    expect(target.position()).toEqual(positionAt(120));
    await applyRange(target, 120, 200);
    expect(contents(target)).toEqual(contents(source));
  });

  it('stays as it was when a snapshot breaks off', async () => {
    const source = await SearchMachine.open(join(directory, 'source'));
    await applyRange(source, 0, 120);
    const snapshot = await source.snapshot();
    const target = await SearchMachine.open(join(directory, 'target'));
    await applyRange(target, 0, 40);
    await target.flush();
    async function* broken(): AsyncGenerator<Uint8Array> {
      for await (const chunk of snapshot.chunks) {
        yield chunk.subarray(0, chunk.length - 100);
        return;
      }
    }
    await expect(target.restore(snapshot.position, broken())).rejects.toThrow();
    expect(target.position()).toEqual(positionAt(40));
    expect((await SearchMachine.open(join(directory, 'target'))).position()).toEqual(positionAt(40));
  });

  it('merges small segments without changing what it holds', async () => {
    const machine = await SearchMachine.open(join(directory, 'merging'));
    for (let seq = 0; seq < 200; seq++) {
      await machine.apply(log.slice(seq, seq + 1), positionAt(seq + 1));
      machine.store.documents.refresh();
    }
    await machine.settled();
    expect(machine.store.documents.entries.length).toBeLessThan(10);
    expect(contents(machine)).toEqual(await whole());
  });
});
