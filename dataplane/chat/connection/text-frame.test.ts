import { PassThrough, type Writable } from 'node:stream';
import * as fc from 'fast-check';
import * as ws from 'ws';
import { describe, expect, it } from 'vitest';
import { textFrame } from './text-frame.ts';

/** The reading half of `ws`, which its types leave out. */
const { Receiver } = ws as unknown as { Receiver: new (options: { isServer: boolean }) => Writable };

const read = (frame: Buffer): Promise<string> =>
  new Promise((resolve, reject) => {
    const receiver = new Receiver({ isServer: false });
    receiver.on('message', (data: Buffer) => resolve(data.toString('utf8')));
    receiver.on('error', reject);
    const stream = new PassThrough();
    stream.pipe(receiver);
    stream.end(frame);
  });

describe('a text frame', () => {
  it.each([0, 1, 125, 126, 127, 65_535, 65_536, 200_000])('of %d bytes is read back', async (length) => {
    const text = 'x'.repeat(length);
    expect(await read(textFrame(text))).toBe(text);
  });

  it('carries any well-formed text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme' }), async (text) => {
        expect(await read(textFrame(text))).toBe(text);
      }),
    );
  });
});
