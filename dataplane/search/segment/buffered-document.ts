/** Terms that a buffer has met in one field, numbered in the order of their first use. */
export class Vocabulary {
  readonly #ids = new Map<string, number>();
  readonly #words = new Map<string, number>();
  readonly terms: string[] = [];

  idOf(term: string): number {
    let id = this.#ids.get(term);
    if (id === undefined) {
      id = this.terms.length;
      this.terms.push(term);
      this.#ids.set(term, id);
    }
    return id;
  }

  /** The number of the term that a word of a text becomes: most words have been met before, and need no analysis. */
  idOfWord(word: string, toTerm: (word: string) => string): number {
    let id = this.#words.get(word);
    if (id === undefined) {
      id = this.idOf(toTerm(word));
      this.#words.set(word, id);
    }
    return id;
  }
}

/** What a document has in one field. */
export type BufferedField =
  /** Term numbers in the order of the text; a negative entry -g skips g positions (between values of an array). */
  | { readonly name: string; readonly kind: 'text'; readonly tokens: Int32Array }
  /** Distinct values, as term numbers. */
  | { readonly name: string; readonly kind: 'keyword'; readonly tokens: Int32Array }
  | { readonly name: string; readonly kind: 'number'; readonly values: Float64Array };

/** A document, analysed, waiting to become part of a segment. */
export interface BufferedDocument {
  readonly id: string;
  readonly version: number;
  readonly seqNo: number;
  readonly primaryTerm: number;
  /** The JSON text of `_source`. */
  readonly source: Uint8Array;
  readonly fields: readonly BufferedField[];
}
