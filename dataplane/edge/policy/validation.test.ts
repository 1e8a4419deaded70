import { describe, expect, it } from 'vitest';
import { fieldValue } from './fields.ts';
import { dateOf, fieldsOf, storedWith } from './testing.ts';
import { headConfirms, isAbout, updatedFields, validators } from './validation.ts';

describe('RFC 9111 section 4.3.1: validation requests', () => {
  it('send the validators that are stored', () => {
    expect(validators(storedWith({ ETag: 'W/"a"', 'Last-Modified': dateOf(-9) }))).toEqual([
      'If-None-Match',
      'W/"a"',
      'If-Modified-Since',
      dateOf(-9),
    ]);
    expect(validators(storedWith({}))).toEqual([]);
  });
});

describe('RFC 9111 section 4.3.4: which stored response a 304 is about', () => {
  it.each([
    ['the same strong tag', { ETag: '"a"' }, { ETag: '"a"' }, true],
    ['another strong tag', { ETag: '"a"' }, { ETag: '"b"' }, false],
    ['a weak tag of the same', { ETag: '"a"' }, { ETag: 'W/"a"' }, true],
    ['a strong tag, none stored', { 'Last-Modified': dateOf(-9) }, { ETag: '"a"' }, false],
    ['the same date', { 'Last-Modified': dateOf(-9) }, { 'Last-Modified': dateOf(-9) }, true],
    ['another date', { 'Last-Modified': dateOf(-9) }, { 'Last-Modified': dateOf(-8) }, false],
    ['no validator', { ETag: '"a"' }, {}, true],
  ])('%s', (_, stored, notModified, expected) => {
    expect(isAbout(fieldsOf(notModified as Record<string, string>), storedWith(stored as Record<string, string>))).toBe(
      expected,
    );
  });
});

describe('RFC 9111 section 3.2: updating stored fields', () => {
  const stored = fieldsOf({ 'X-Old': '1', 'X-Both': '1', 'Content-Length': '4', 'Content-Encoding': 'gzip' });
  const updated = updatedFields(
    stored,
    fieldsOf({
      'x-both': '2',
      'X-New': '3',
      'Content-Length': '0',
      'Content-Encoding': 'br',
      Connection: 'X-Hop',
      'X-Hop': '4',
    }),
  );

  it.each([
    ['x-old', '1'],
    ['x-both', '2'],
    ['x-new', '3'],
    ['content-length', '4'],
    ['content-encoding', 'gzip'],
    ['x-hop', undefined],
    ['connection', undefined],
  ])('%s becomes %s', (name, value) => {
    expect(fieldValue(updated, name)).toBe(value);
  });
});

describe('RFC 9111 section 4.3.5: HEAD', () => {
  const stored = storedWith({ ETag: '"a"', 'Content-Length': '4' });
  it.each([
    ['same tag and length', { ETag: '"a"', 'Content-Length': '4' }, true],
    ['neither', {}, true],
    ['another tag', { ETag: '"b"' }, false],
    ['another length', { 'Content-Length': '5' }, false],
  ])('%s', (_, fields, expected) => {
    expect(headConfirms(fieldsOf(fields as Record<string, string>), stored)).toBe(expected);
  });
});
