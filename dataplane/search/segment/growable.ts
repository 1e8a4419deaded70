/** A list of unsigned 32-bit words that grows by doubling. */
export class WordList {
  words: Uint32Array;
  length = 0;

  constructor(capacity = 1024) {
    this.words = new Uint32Array(capacity);
  }

  /** Makes room for `more` further words. Words not yet written are zero. */
  reserve(more: number): void {
    if (this.length + more <= this.words.length) return;
    const grown = new Uint32Array(Math.max(this.words.length * 2, this.length + more));
    grown.set(this.words.subarray(0, this.length));
    this.words = grown;
  }

  push(word: number): void {
    if (this.length === this.words.length) this.reserve(1);
    this.words[this.length++] = word;
  }

  /** A copy of exactly what was written. */
  finish(): Uint32Array {
    return this.words.slice(0, this.length);
  }
}

/** A list of bytes that grows by doubling. */
export class ByteList {
  bytes: Uint8Array;
  length = 0;

  constructor(capacity = 4096) {
    this.bytes = new Uint8Array(capacity);
  }

  reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + more));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  append(chunk: Uint8Array): void {
    this.reserve(chunk.length);
    this.bytes.set(chunk, this.length);
    this.length += chunk.length;
  }

  finish(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }
}
