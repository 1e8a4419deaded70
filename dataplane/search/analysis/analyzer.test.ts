import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { analyzerNamed, termsOf } from './analyzer.ts';
import { BoundedCache } from './bounded-cache.ts';
import { tokenize } from './tokenizer.ts';

const english = (text: string): string[] => termsOf(analyzerNamed('english'), text);
const plain = (text: string): string[] => termsOf(analyzerNamed('plain'), text);

describe('the plain analyzer', () => {
  it.each([
    ['The quick-brown Fox', ['the', 'quick', 'brown', 'fox']],
    ["don't O'Neil's", ["don't", "o'neil's"]],
    ['3.14 1,000 v2 example.com', ['3.14', '1,000', 'v2', 'example', 'com']],
    ['Straße Café', ['straße', 'café']],
    ['Привет, мир', ['привет', 'мир']],
    ['ｆｕｌｌ ﬁ', ['full', 'fi']],
    ['  ,;.!  ', []],
  ])('cuts %j into %j', (text, terms) => expect(plain(text)).toEqual(terms));

  it('cuts scripts that write no spaces', () => {
    expect(plain('東京都に住む hello')).toContain('東京');
    expect(plain('ภาษาไทย').length).toBeGreaterThan(1);
  });
});

describe('the english analyzer', () => {
  it('stems, and finds accented words by their plain forms', () => {
    expect(english('Running foxes jumped')).toEqual(['run', 'fox', 'jump']);
    expect(english('naïve cafés')).toEqual(english('naive cafes'));
  });

  it('keeps every word, so that phrases of frequent words can be found', () => {
    expect(english('to be or not to be')).toEqual(['to', 'be', 'or', 'not', 'to', 'be']);
  });

  it('leaves marks of scripts in which they carry meaning', () => {
    expect(english('ёлка')).toEqual(['ёлка']);
  });
});

describe('the tokenizer', () => {
  it('says where each word stands', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (text) => {
        let last = 0;
        tokenize(text, (word, start, end) => {
          expect(text.slice(start, end)).toBe(word);
          expect(start).toBeGreaterThanOrEqual(last);
          last = end;
        });
      }),
    );
  });

  it('cuts plain English alike whether or not something else stands beside it', () => {
    const words = (text: string): string[] => {
      const found: string[] = [];
      tokenize(text, (word) => found.push(word));
      return found;
    };
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."ab1 .,'-_Z"), maxLength: 30 }), (text) => {
        expect(words(`${text} é`)).toEqual([...words(text), 'é']);
      }),
    );
  });

  it('cuts words of more than 255 characters into pieces', () => {
    expect(plain('x'.repeat(600)).map(({ length }) => length)).toEqual([255, 255, 90]);
  });
});

describe('the bounded cache', () => {
  it('holds at most two generations and keeps what is used', () => {
    const cache = new BoundedCache<number>(10);
    for (let i = 0; i < 1000; i++) {
      cache.set(`key ${i}`, i);
      expect(cache.get('key 0') ?? 0).toBe(0);
      expect(cache.size).toBeLessThanOrEqual(21);
    }
    expect(cache.get('key 0')).toBe(0);
    expect(cache.get('key 500')).toBeUndefined();
  });
});
