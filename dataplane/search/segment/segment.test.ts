import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { segmentDataOf, segmentOf, type TestDocument, testMappings } from '../testing/build-segments.ts';
import { pack, packedWords, unpack, widthOf } from './bit-packing.ts';
import { compareByBytes, orderByBytes } from './byte-order.ts';
import { WordList } from './growable.ts';
import { mergeSegments } from './merge.ts';
import { planMerge } from './merge-policy.ts';
import { PositionsReader } from './positions-reader.ts';
import { openInMemory, type Segment } from './segment.ts';
import { openSegmentFile, writeSegmentFile } from './segment-file.ts';
import { StringTable, StringTableWriter } from './string-table.ts';

const word = fc.constantFrom('a', 'b', 'c', 'dd', 'ee', 'é', '日本', '😀x', 'zebra');
const text = fc.array(word, { maxLength: 20 }).map((words) => words.join(' '));
const source = fc.record(
  { body: text, title: text, tag: fc.array(fc.constantFrom('x', 'y', 'z')), n: fc.integer({ min: -5, max: 5 }) },
  { requiredKeys: ['body'] },
);
const documents = (max: number): fc.Arbitrary<TestDocument[]> =>
  fc.uniqueArray(fc.record({ id: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 4 }), source }), {
    selector: ({ id }) => id.toWellFormed(),
    minLength: 1,
    maxLength: max,
  });

type Postings = { doc: number; positions: number[] }[];

function postingsOf(segment: Segment, name: string, term: string): Postings {
  const field = segment.fields.get(name);
  const place = field?.terms.indexOf(term) ?? -1;
  if (field === undefined || place < 0) return [];
  const cursor = field.cursor(place);
  const reader = new PositionsReader(cursor);
  const found: Postings = [];
  for (let block = 0; block < cursor.blocks; block++) {
    cursor.load(block);
    for (let i = 0; i < cursor.count; i++) {
      reader.read(i);
      found.push({ doc: cursor.docs[i] as number, positions: [...reader.positions.subarray(0, reader.length)] });
    }
  }
  return found;
}

describe('bit packing', () => {
  it('gives back what was packed', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(2 ** 32 - 1), { minLength: 1, maxLength: 128 }), (values) => {
        const words = Uint32Array.from(values);
        const list = new WordList(1);
        const width = widthOf(words, words.length);
        pack(list, words, words.length, width);
        expect(list.length).toBe(packedWords(values.length, width));
        const out = new Int32Array(128);
        unpack(list.finish(), 0, { count: values.length, width }, out);
        expect([...out.subarray(0, values.length)].map((value) => value >>> 0)).toEqual(values);
      }),
    );
  });
});

describe('the string table', () => {
  it('orders by UTF-8 bytes and finds every entry and prefix', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ unit: 'binary', maxLength: 6 })),
        fc.string({ maxLength: 3 }),
        (values, prefix) => {
          const wellFormed = [...new Set(values.map((value) => value.toWellFormed()))];
          const distinct = Array.from(orderByBytes(wellFormed), (place) => wellFormed[place] ?? '');
          const byBytes = [...distinct].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
          expect(distinct).toEqual(byBytes);
          expect([...distinct].sort(compareByBytes)).toEqual(byBytes);
          const writer = new StringTableWriter();
          for (const value of distinct) writer.add(value);
          const { offsets, bytes } = writer.finish();
          const table = new StringTable(offsets, bytes);
          for (const [i, value] of distinct.entries()) expect(table.indexOf(value)).toBe(i);
          const { from, to } = table.prefixRange(prefix);
          expect(distinct.slice(from, to)).toEqual(distinct.filter((value) => value.startsWith(prefix)));
        },
      ),
    );
  });
});

describe('a segment', () => {
  it('holds exactly the words of its documents, with their places', () => {
    fc.assert(
      fc.property(documents(40), (list) => {
        const { segment } = segmentOf(list, testMappings());
        const ordered = [...list].sort((a, b) => compareByBytes(a.id, b.id));
        for (const term of ['a', 'b', 'dd', 'é', 'zebra']) {
          const expected = ordered.flatMap(({ source }, doc) => {
            const words = String(source['body']).split(' ');
            const positions = words.flatMap((one, at) => (one === term ? [at] : []));
            return positions.length > 0 ? [{ doc, positions }] : [];
          });
          expect(postingsOf(segment, 'body', term)).toEqual(expected);
        }
        for (const [doc, { id, source }] of ordered.entries()) {
          expect(segment.find(id)).toBe(doc);
          expect(JSON.parse(Buffer.from(segment.source(doc)).toString())).toEqual(source);
        }
        expect(segment.find('no such id')).toBe(-1);
      }),
      { numRuns: 60 },
    );
  });

  it('holds terms of many blocks', () => {
    const list = Array.from({ length: 1000 }, (_, i) => ({
      id: String(i).padStart(4, '0'),
      source: { body: i % 3 === 0 ? 'x y x' : 'y' },
    }));
    const { segment } = segmentOf(list, testMappings());
    expect(postingsOf(segment, 'body', 'y')).toHaveLength(1000);
    expect(
      postingsOf(segment, 'body', 'x').every(({ doc, positions }) => doc % 3 === 0 && positions.join() === '0,2'),
    ).toBe(true);
  });

  it('is the same whether built at once or merged from parts, without the deleted documents', async () => {
    await fc.assert(
      fc.asyncProperty(documents(60), fc.nat(3), async (list, step) => {
        const mappings = testMappings();
        const parts = Map.groupBy(list, (_, i) => i % 4);
        const gone = new Set(list.filter((_, i) => i % 5 === step).map(({ id }) => id));
        const inputs = [...parts.values()].map((part) => {
          const { segment, live } = segmentOf(part, mappings);
          for (const { id } of part) if (gone.has(id)) live.delete(segment.find(id));
          return { segment, deleted: live.deleted };
        });
        const merged = await mergeSegments(inputs, async () => {});
        const kept = list.filter(({ id }) => !gone.has(id));
        const whole = segmentDataOf(kept, mappings);
        expect(merged.data.docCount).toBe(kept.length);
        if (whole === null) return;
        const fields = whole.fields.map(({ name }) => name);
        expect(merged.data.fields.filter(({ docsWithField }) => docsWithField > 0)).toEqual(
          whole.fields.filter(({ docsWithField }) => docsWithField > 0),
        );
        const rebuilt = openInMemory(merged.data);
        const original = openInMemory(whole);
        for (const name of fields) {
          for (const term of ['a', 'b', 'c', 'é', '日本', 'x', 'y']) {
            expect(postingsOf(rebuilt, name, term)).toEqual(postingsOf(original, name, term));
          }
          expect(rebuilt.fields.get(name)?.values).toEqual(original.fields.get(name)?.values);
          expect(rebuilt.fields.get(name)?.lengths).toEqual(original.fields.get(name)?.lengths);
        }
        for (const [doc, id] of kept
          .map(({ id }) => id)
          .sort(compareByBytes)
          .entries())
          expect(rebuilt.idOf(doc)).toBe(id);
      }),
      { numRuns: 40 },
    );
  });
});

describe('a segment file', () => {
  let directory = '';
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'quartet-segment-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it('gives back the segment, and any changed byte is noticed', async () => {
    const list = Array.from({ length: 30 }, (_, i) => ({
      id: `d${i}`,
      source: { body: `a b${i} c`, tag: ['x'], n: i },
    }));
    const data = segmentDataOf(list, testMappings());
    if (data === null) throw new Error('no segment');
    const path = join(directory, 'one.seg');
    await writeSegmentFile(path, data);
    const opened = await openSegmentFile(path);
    expect(opened.docCount).toBe(30);
    expect(postingsOf(opened, 'body', 'a')).toHaveLength(30);
    expect(Buffer.from(opened.source(opened.find('d7'))).toString()).toBe(JSON.stringify(list[7]?.source));
    const file = await open(path, 'r+');
    const { size } = await file.stat();
    const byte = Buffer.alloc(1);
    let noticed = 0;
    let padding = 0;
    for (let at = 9; at < size; at += 97) {
      await file.read(byte, 0, 1, at);
      const kept = byte[0] ?? 0;
      await file.write(Uint8Array.of(kept ^ 0x55), 0, 1, at);
      const outcome = await openSegmentFile(path).then(
        () => 'opened',
        () => 'refused',
      );
      if (outcome === 'refused') noticed++;
      else if (kept === 0) padding++;
      else throw new Error(`a changed byte at ${at} was not noticed`);
      await file.write(Uint8Array.of(kept), 0, 1, at);
    }
    await file.close();
    expect(noticed).toBeGreaterThan(padding * 5);
  });
});

describe('the merge policy', () => {
  it('merges eight of a size, and segments with many deletions', () => {
    const size = (live: number, deleted = 0): { live: number; deleted: number } => ({ live, deleted });
    expect(planMerge([size(10), size(20)])).toEqual([]);
    expect(planMerge(Array.from({ length: 8 }, () => size(100)))).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(planMerge([size(5000), size(600, 500), size(3)])).toEqual([1]);
    expect(planMerge([size(0, 5)])).toEqual([0]);
  });
});
