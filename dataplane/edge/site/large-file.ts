import { Readable } from 'node:stream';
import type { ByteRange } from '../policy/ranges.ts';

/** Size of the made-up download: too large to be stored whole under the default policies. */
export const largeFileBytes = 64 * 1024 * 1024;

const block = Buffer.alloc(64 * 1024);
for (let i = 0; i < block.byteLength; i++) block[i] = i % 251;

/** Bytes of the download: each is a function of its position in its block, so that ranges can be checked. */
export function largeFile(range: ByteRange): Readable {
  let at = range.first;
  return new Readable({
    read() {
      if (at > range.last) {
        this.push(null);
        return;
      }
      const offset = at % block.byteLength;
      const end = Math.min(block.byteLength, offset + range.last - at + 1);
      at += end - offset;
      this.push(block.subarray(offset, end));
    },
  });
}
