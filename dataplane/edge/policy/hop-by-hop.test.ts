import { describe, expect, it } from 'vitest';
import { fieldNames } from './fields.ts';
import { endToEndFields } from './hop-by-hop.ts';

describe('RFC 9110 section 7.6.1: connection fields', () => {
  it('stay behind, and those that Connection names', () => {
    const fields = ['Connection', 'close, X-Hop', 'x-hop', '1', 'Keep-Alive', '5', 'TE', 'trailers', 'X-End', '2'];
    expect(endToEndFields(fields)).toEqual(['X-End', '2']);
  });

  it('cannot take away what frames or addresses the message', () => {
    const names = fieldNames(
      endToEndFields(['Connection', 'content-length, host', 'Content-Length', '3', 'Host', 'a']),
    );
    expect([...names]).toEqual(['content-length', 'host']);
  });
});
