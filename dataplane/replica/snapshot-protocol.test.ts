import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeFrame, encodeFrame } from './snapshot-protocol.ts';

describe('snapshot frames', () => {
  test('what was encoded is decoded', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
        const decoded = decodeFrame(encodeFrame({ kind: 'chunk', bytes }));
        expect(decoded?.kind).toBe('chunk');
        if (decoded?.kind === 'chunk') expect([...decoded.bytes]).toEqual([...bytes]);
      }),
    );
    expect(decodeFrame(encodeFrame({ kind: 'end', checksum: 0xffff_ffff }))).toEqual({
      kind: 'end',
      checksum: 0xffff_ffff,
    });
    expect(decodeFrame(encodeFrame({ kind: 'error', message: 'gone' }))).toEqual({ kind: 'error', message: 'gone' });
  });

  test('a changed byte of a chunk is seen', () => {
    const frame = encodeFrame({ kind: 'chunk', bytes: Buffer.from('some bytes of a store') });
    for (let at = 1; at < frame.length; at++) {
      const changed = Uint8Array.from(frame);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(decodeFrame(changed)).toBeNull();
    }
  });

  test('arbitrary bytes never throw', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 50 }), (bytes) => void decodeFrame(bytes)));
  });
});
