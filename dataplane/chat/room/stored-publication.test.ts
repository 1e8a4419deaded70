import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBody, encodeBody } from './stored-publication.ts';

describe('a stored publication', () => {
  it('comes back with its offset and time, on one line', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string({ unit: 'grapheme' }), (data, user) => {
        const body = encodeBody({ data, info: { user, client: 'c' } });
        const decoded = decodeBody(body, 7, 1_000);
        expect(decoded?.json).not.toContain('\n');
        expect(JSON.parse(decoded?.json ?? '')).toEqual(
          JSON.parse(JSON.stringify({ data, info: { user, client: 'c' }, offset: 7, time: 1_000 })),
        );
      }),
    );
  });

  it.each(['', 'null', '7', '[]', '{', '{"x":1}'])('is not made of %s, which somebody else wrote', (text) => {
    expect(decodeBody(text, 1, 1)).toBeNull();
  });
});
