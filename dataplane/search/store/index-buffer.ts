import { analyzerNamed } from '../analysis/analyzer.ts';
import { tokenize } from '../analysis/tokenizer.ts';
import type { Mappings } from '../mapping/mappings.ts';
import type { ParsedField } from '../mapping/parse-document.ts';
import { type BufferedDocument, type BufferedField, Vocabulary } from '../segment/buffered-document.ts';
import { buildSegment } from '../segment/segment-builder.ts';
import type { SegmentData } from '../segment/segment-data.ts';

/** Positions left out between two values of an array, so that no phrase matches across them. */
const valueGap = 100;

/** Documents that no segment holds yet, analysed. */
export class IndexBuffer {
  readonly #documents = new Map<string, BufferedDocument>();
  readonly #vocabularies = new Map<string, Vocabulary>();
  /** Rough bytes of the documents' text and tokens, replaced ones included. */
  bytes = 0;

  get size(): number {
    return this.#documents.size;
  }

  get(id: string): BufferedDocument | undefined {
    return this.#documents.get(id);
  }

  delete(id: string): boolean {
    return this.#documents.delete(id);
  }

  put(document: Omit<BufferedDocument, 'fields'>, parsed: readonly ParsedField[], mappings: Mappings): void {
    const fields = parsed.map((field) => this.#analyse(field, mappings));
    this.#documents.set(document.id, { ...document, fields });
    this.bytes += document.source.length * 2 + 256;
  }

  #analyse({ field, values }: ParsedField, mappings: Mappings): BufferedField {
    const { path: name, type } = field;
    if (type === 'text') return { name, kind: 'text', tokens: this.#tokens(name, values, mappings.analyzerOf(field)) };
    if (type === 'keyword') {
      const vocabulary = this.#vocabulary(name);
      return {
        name,
        kind: 'keyword',
        tokens: Int32Array.from(new Set(values), (value) => vocabulary.idOf(String(value))),
      };
    }
    return { name, kind: 'number', values: Float64Array.from(new Set(values), Number) };
  }

  #tokens(name: string, values: ParsedField['values'], analyzerName: 'english' | 'plain'): Int32Array {
    const { term } = analyzerNamed(analyzerName);
    const vocabulary = this.#vocabulary(name);
    const tokens: number[] = [];
    for (const value of values) {
      if (tokens.length > 0) tokens.push(-valueGap);
      tokenize(String(value), (word) => tokens.push(vocabulary.idOfWord(word, term)));
    }
    return Int32Array.from(tokens);
  }

  #vocabulary(name: string): Vocabulary {
    let vocabulary = this.#vocabularies.get(name);
    if (vocabulary === undefined) {
      vocabulary = new Vocabulary();
      this.#vocabularies.set(name, vocabulary);
    }
    return vocabulary;
  }

  /** Everything as one segment; null when empty. The buffer is to be thrown away then. */
  freeze(): SegmentData | null {
    return this.size === 0 ? null : buildSegment([...this.#documents.values()], this.#vocabularies);
  }
}
