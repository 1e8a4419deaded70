import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { memoryReplica, type MemoryReplica } from '../../replica/testing/memory-replica.ts';
import { SearchMachine } from '../machine.ts';
import { decideWrite } from './decide-write.ts';
import { WriteAuthority } from './write-authority.ts';
import type { WriteItem, WriteOutcome } from './write-item.ts';

let directory = '';
let machine: SearchMachine;
let replica: MemoryReplica;
let authority: WriteAuthority;
let nonces = 0;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'quartet-authority-'));
  machine = await SearchMachine.open(directory);
  authority = new WriteAuthority(machine, () => replica);
  replica = memoryReplica(machine);
  const info = { uuid: 'u', createdAt: 1, shards: 1, analyzer: 'plain' as const };
  await authority.createIndex({ type: 'create-index', info, mappings: { dynamic: 'true', fields: [] } });
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const write = (item: Partial<WriteItem> & Pick<WriteItem, 'kind'>): Promise<WriteOutcome> =>
  authority.write({
    id: 'a',
    nonce: `nonce ${nonces++}`,
    ...(item.kind !== 'delete' && { source: '{"n":1}' }),
    ...item,
  });

describe('the decision about a write', () => {
  const stored = { exists: true, version: 3, seqNo: 7, primaryTerm: 2 };
  const deleted = { ...stored, exists: false };
  const item = (change: Partial<WriteItem>): WriteItem => ({ kind: 'index', id: 'a', nonce: 'n', ...change });

  it.each([
    ['creates what is not there', item({}), null, 'created', 1],
    ['replaces what is there', item({}), stored, 'updated', 4],
    ['goes on counting after a deletion', item({ kind: 'create' }), deleted, 'created', 4],
    ['deletes', item({ kind: 'delete' }), stored, 'deleted', 4],
    ['takes the sequence number it expects', item({ ifSeqNo: 7, ifPrimaryTerm: 2 }), stored, 'updated', 4],
    ['takes a higher external version', item({ externalVersion: 9 }), stored, 'updated', 9],
  ])('%s', (...[, request, state, result, version]) => {
    expect(decideWrite(request, state)).toEqual({ kind: 'write', result, version });
  });

  it.each([
    ['to create what is there', item({ kind: 'create' }), stored],
    ['with another sequence number', item({ ifSeqNo: 6, ifPrimaryTerm: 2 }), stored],
    ['with another term', item({ ifSeqNo: 7, ifPrimaryTerm: 1 }), stored],
    ['with a sequence number when there is nothing', item({ ifSeqNo: 7, ifPrimaryTerm: 2 }), null],
    ['with an external version that is not higher', item({ externalVersion: 3 }), stored],
  ])('refuses %s', (_, request, state) => {
    expect(decideWrite(request, state)).toMatchObject({ kind: 'answer', outcome: { ok: false, status: 409 } });
  });
});

describe('the primary of a search shard', () => {
  it('answers a write that is asked for again, after its outcome was lost, without doing it twice', async () => {
    replica.failNext('unknown-outcome');
    const lost = await write({ kind: 'index', nonce: 'same' });
    expect(lost).toMatchObject({ ok: false, retry: 'unknown' });
    await write({ kind: 'index', source: '{"n":2}' });
    expect(await write({ kind: 'index', nonce: 'same' })).toMatchObject({ ok: true, version: 1, result: 'created' });
    expect(Buffer.from(machine.store.documents.find('a')?.source ?? []).toString()).toBe('{"n":2}');
  });

  it('executes a refused write when it is asked for again', async () => {
    replica.failNext('overloaded');
    expect(await write({ kind: 'create', nonce: 'same' })).toMatchObject({ ok: false, retry: 'retry' });
    expect(await write({ kind: 'create', nonce: 'same' })).toMatchObject({ ok: true, version: 1 });
  });

  it('decides against what is in flight', async () => {
    const release = replica.hold();
    const outcomes = [
      write({ kind: 'create' }),
      write({ kind: 'index' }),
      write({ kind: 'delete' }),
      write({ kind: 'create' }),
    ];
    release();
    expect(await Promise.all(outcomes)).toMatchObject([
      { ok: true, result: 'created', version: 1 },
      { ok: true, result: 'updated', version: 2 },
      { ok: true, result: 'deleted', version: 3 },
      { ok: true, result: 'created', version: 4 },
    ]);
  });

  it('tells of a conflict only when the write that stands in the way is there', async () => {
    const release = replica.hold();
    replica.failNext('overloaded');
    const first = write({ kind: 'create' });
    const second = write({ kind: 'create' });
    release();
    expect(await first).toMatchObject({ ok: false, retry: 'retry' });
    expect(await second).toMatchObject({ ok: true });
  });

  it('refuses a document that does not fit fields of documents in flight', async () => {
    const release = replica.hold();
    const first = write({ kind: 'index', id: 'a', source: '{"n":1}' });
    const second = write({ kind: 'index', id: 'b', source: '{"n":"not a number"}' });
    release();
    expect(await first).toMatchObject({ ok: true });
    expect(await second).toMatchObject({ ok: false, status: 400, type: 'mapper_parsing_exception' });
  });

  it('merges updates, and leaves a document alone that would not change', async () => {
    await write({ kind: 'index', source: '{"n":1,"o":{"x":1}}' });
    expect(await write({ kind: 'update', source: '{"doc":{"o":{"y":2}}}' })).toMatchObject({ ok: true, version: 2 });
    expect(await write({ kind: 'update', source: '{"doc":{"n":1}}' })).toMatchObject({
      ok: true,
      result: 'noop',
      version: 2,
    });
    expect(await write({ kind: 'update', id: 'none', source: '{"doc":{}}' })).toMatchObject({ ok: false, status: 404 });
    expect(await write({ kind: 'update', id: 'new', source: '{"doc":{"n":5},"doc_as_upsert":true}' })).toMatchObject({
      ok: true,
      result: 'created',
    });
    expect(Buffer.from(machine.store.documents.find('a')?.source ?? []).toString()).toBe('{"n":1,"o":{"x":1,"y":2}}');
  });

  it('refuses everything once it leads no more', async () => {
    replica.stepDown();
    expect(await write({ kind: 'index' })).toMatchObject({ ok: false, retry: 'retry', status: 503 });
  });

  it.each([
    ['a document that is no JSON', { source: '{no' }],
    ['a document that is no object', { source: '[1]' }],
    ['a document nested too deeply', { source: '{"a":'.repeat(100) + '1' + '}'.repeat(100) }],
    ['arrays nested too deeply', { source: `{"a":${'['.repeat(5000)}${']'.repeat(5000)}}` }],
    ['an id that is too long', { id: 'x'.repeat(600) }],
  ])('refuses %s', async (_, change) => {
    expect(await write({ kind: 'index', ...change })).toMatchObject({ ok: false, retry: 'no', status: 400 });
    expect(await write({ kind: 'index' })).toMatchObject({ ok: true });
  });
});
