import { crc32 } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeEntry, encodeEntry, genesis, peekId, type EntryHeader } from './entry.ts';

const u48 = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const header: fc.Arbitrary<EntryHeader> = fc.record({
  kind: fc.constantFrom('data' as const, 'term' as const, 'resign' as const),
  term: u48,
  writer: fc.string({ unit: 'grapheme', maxLength: 40 }).filter((writer) => Buffer.byteLength(writer) <= 255),
  time: u48,
  previous: fc.uint8Array({ minLength: 12, maxLength: 12 }).map((bytes) => Buffer.from(bytes).toString('hex')),
});
const operations = fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 20 });
const plain: EntryHeader = { kind: 'data', term: 3, writer: 'db-0/abc', time: 1_700_000_000_000, previous: genesis };

describe('entry codec', () => {
  test('what was encoded is decoded', () => {
    fc.assert(
      fc.property(header, operations, (header, operations) => {
        const encoded = encodeEntry(header, operations);
        const decoded = decodeEntry(encoded.bytes);
        if (!decoded.ok) throw new Error(decoded.reason);
        const { id, operations: found, ...rest } = decoded.entry;
        expect(id).toBe(encoded.id);
        expect(peekId(encoded.bytes)).toBe(encoded.id);
        expect(rest).toEqual(header);
        expect(found.map((operation) => [...operation])).toEqual(operations.map((operation) => [...operation]));
      }),
    );
  });

  test('the same contents make two entries with two ids', () => {
    expect(encodeEntry(plain, []).id).not.toBe(encodeEntry(plain, []).id);
  });

  test('a changed byte after the version is seen', () => {
    fc.assert(
      fc.property(operations, fc.nat(), fc.integer({ min: 1, max: 255 }), (operations, place, change) => {
        const bytes = Uint8Array.from(encodeEntry(plain, operations).bytes);
        const at = 3 + (place % (bytes.length - 3));
        bytes[at] = (bytes[at] ?? 0) ^ change;
        expect(decodeEntry(bytes).ok).toBe(false);
      }),
    );
  });

  test('a cut entry is seen at every length', () => {
    const { bytes } = encodeEntry(plain, [Buffer.from('one'), Buffer.from('two')]);
    for (let length = 0; length < bytes.length; length++) {
      expect(decodeEntry(bytes.subarray(0, length)).ok).toBe(false);
    }
  });

  test('arbitrary bytes never throw and never make an entry', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(decodeEntry(bytes).ok).toBe(false);
        expect(peekId(bytes)).toHaveLength(24);
      }),
    );
  });

  test('bytes with our mark and a right checksum but wrong lengths are corrupt, not a crash', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 45, maxLength: 120 }), (body) => {
        const bytes = Buffer.from(body);
        bytes.writeUInt16BE(0x5145, 0);
        bytes.writeUInt8(1, 2);
        bytes.writeUInt8(0, 3);
        bytes.writeUInt32BE(crc32(bytes.subarray(8), crc32(bytes.subarray(0, 4))), 4);
        const decoded = decodeEntry(bytes);
        if (!decoded.ok) expect(decoded.reason).toBe('corrupt');
      }),
    );
  });

  test('a huge count in a short entry allocates nothing', () => {
    const bytes = Buffer.from(encodeEntry(plain, []).bytes);
    bytes.writeUInt32BE(0xffff_ffff, 40);
    bytes.writeUInt32BE(crc32(bytes.subarray(8), crc32(bytes.subarray(0, 4))), 4);
    expect(decodeEntry(bytes)).toMatchObject({ ok: false, reason: 'corrupt' });
  });

  test('a newer version is told apart from garbage', () => {
    const bytes = Buffer.from(encodeEntry(plain, []).bytes);
    bytes.writeUInt8(2, 2);
    expect(decodeEntry(bytes)).toMatchObject({ ok: false, reason: 'newer' });
    expect(decodeEntry(Buffer.from('hello'))).toMatchObject({ ok: false, reason: 'foreign' });
  });

  test('a header that does not fit is refused', () => {
    expect(() => encodeEntry({ ...plain, term: 2 ** 48 }, [])).toThrow(RangeError);
    expect(() => encodeEntry({ ...plain, time: -1 }, [])).toThrow(RangeError);
    expect(() => encodeEntry({ ...plain, writer: 'x'.repeat(256) }, [])).toThrow(RangeError);
    expect(() => encodeEntry({ ...plain, previous: 'abc' }, [])).toThrow(RangeError);
  });
});
