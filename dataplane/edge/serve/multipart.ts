import { randomBytes } from 'node:crypto';
import { type ByteRange, contentRange } from '../policy/ranges.ts';

/** A multipart/byteranges body with one part for each range (RFC 9110 section 14.6). */
export function multipartBody(
  whole: Buffer,
  ranges: readonly ByteRange[],
  contentType: string,
): { readonly contentType: string; readonly body: Buffer } {
  const boundary = randomBytes(12).toString('hex');
  const pieces: Buffer[] = [];
  for (const range of ranges) {
    const head = [
      `--${boundary}`,
      `Content-Type: ${contentType}`,
      `Content-Range: ${contentRange(range, whole.byteLength)}`,
      '',
      '',
    ].join('\r\n');
    pieces.push(Buffer.from(head, 'latin1'), whole.subarray(range.first, range.last + 1), Buffer.from('\r\n'));
  }
  pieces.push(Buffer.from(`--${boundary}--\r\n`));
  return { contentType: `multipart/byteranges; boundary=${boundary}`, body: Buffer.concat(pieces) };
}
