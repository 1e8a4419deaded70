import { maxArguments, maxInlineBytes, maxRequestBytes, maxValueBytes } from '../limits.ts';
import { encodeCommand, Frame, readTrusted } from './frame.ts';
import { splitInline } from './inline.ts';

/**
 * - command: {@link RequestParser.frame} holds the next command
 * - more: bytes are missing
 * - refused: a command that is well formed and too large was skipped; {@link RequestParser.reason} says what to answer
 * - broken: not RESP; {@link RequestParser.reason} says why. Answer it and close: nothing after it can be trusted
 */
export type ParseStep = 'command' | 'more' | 'refused' | 'broken';

const star = 42;
const dollar = 36;
/** Longest `*` or `$` line that makes sense, bytes. */
const maxLengthLine = 24;
/** Longest bulk string that is worth skipping in order to keep the connection; beyond it is a protocol error. */
const maxBulkBytes = 512 * 1024 * 1024;
const incomplete = -2;
const malformed = -3;

/**
 * Parser of what RESP clients send: arrays of bulk strings, and inline commands.
 * Bytes may come cut anywhere; the time spent is linear in them however they are cut. Memory is bound by the largest
 * command that is allowed: longer ones are skipped as they arrive and refused.
 * https://redis.io/docs/latest/develop/reference/protocol-spec/
 */
export class RequestParser {
  readonly frame = new Frame();
  /** Why the last step was refused or broken. */
  reason = '';
  #bytes: Buffer = Buffer.alloc(0);
  #end = 0;
  /** Whether `#bytes` is ours, with room after `#end`. */
  #owned = false;
  #at = 0;
  #start = 0;
  /** Arguments that the current command has in all; -1 between commands. */
  #arguments = -1;
  #index = 0;
  /** Length of the current bulk string; -1 before its header. */
  #bulk = -1;
  /** Bytes of a refused argument that are still to come. */
  #skip = 0;
  #refusal: string | null = null;
  /** No line end before here. */
  #scanned = 0;
  #next = 0;

  /** Bytes that are held and not parsed yet. */
  get held(): number {
    return this.#end - this.#start;
  }

  /** Adds bytes; they must not change afterwards. */
  push(chunk: Buffer): void {
    if (this.#start === this.#end) return this.#adopt(chunk);
    if (!this.#owned || this.#bytes.length - this.#end < chunk.length) this.#grow(chunk.length);
    chunk.copy(this.#bytes, this.#end);
    this.#end += chunk.length;
  }

  /** One step; call again until it says `more` or `broken`. */
  next(): ParseStep {
    for (;;) {
      if (this.#arguments < 0) {
        const begun = this.#begin();
        if (begun !== null) return begun;
        continue;
      }
      const step = this.#argument();
      if (step !== null) return step;
      if (this.#index === this.#arguments) return this.#finish();
    }
  }

  #adopt(chunk: Buffer): void {
    this.#bytes = chunk;
    this.#end = chunk.length;
    this.#owned = false;
    this.#at = 0;
    this.#start = 0;
    this.#scanned = 0;
  }

  /** Moves what is held to a buffer with room. Frames given out keep the old one. */
  #grow(more: number): void {
    const held = this.#end - this.#start;
    const bytes = Buffer.allocUnsafeSlow(Math.max(2 * (held + more), 1024));
    this.#bytes.copy(bytes, 0, this.#start, this.#end);
    for (let i = 0; i < 2 * this.#index; i++) this.frame.offsets[i] = (this.frame.offsets[i] ?? 0) - this.#start;
    this.#at -= this.#start;
    this.#scanned = Math.max(0, this.#scanned - this.#start);
    this.#start = 0;
    this.#end = held;
    this.#bytes = bytes;
    this.#owned = true;
  }

  /** Starts a command. Null: go on. */
  #begin(): ParseStep | null {
    this.#start = this.#at;
    if (this.#at >= this.#end) return 'more';
    if (this.#bytes[this.#at] !== star) return this.#inline();
    const count = this.#lengthAt(this.#at + 1);
    if (count === incomplete) return 'more';
    if (count === malformed || count > maxArguments) return this.#broken('invalid multibulk length');
    this.#at = this.#next;
    if (count <= 0) return null;
    this.#arguments = count;
    this.#index = 0;
    this.#refusal = null;
    return null;
  }

  /** One argument. Null: it is complete. */
  #argument(): ParseStep | null {
    if (this.#skip > 0) return this.#skipOn();
    if (this.#bulk < 0) {
      const step = this.#bulkHeader();
      if (step !== null) return step;
      if (this.#refusal !== null) return this.#skipOn();
    }
    const after = this.#at + this.#bulk;
    if (after + 2 > this.#end) return 'more';
    if (this.#bytes[after] !== 13 || this.#bytes[after + 1] !== 10) return this.#broken('invalid bulk length');
    this.frame.offsets[2 * this.#index] = this.#at;
    this.frame.offsets[2 * this.#index + 1] = after;
    this.#at = after + 2;
    this.#bulk = -1;
    this.#index++;
    return null;
  }

  #bulkHeader(): ParseStep | null {
    const first = this.#bytes[this.#at];
    if (this.#at >= this.#end || first === undefined) return 'more';
    if (first !== dollar) return this.#broken(`expected '$', got '${printable(first)}'`);
    const length = this.#lengthAt(this.#at + 1);
    if (length === incomplete) return 'more';
    if (length < 0 || length > maxBulkBytes) return this.#broken('invalid bulk length');
    this.#at = this.#next;
    this.#bulk = length;
    this.#limit(length);
    return null;
  }

  /** Decides whether the command has grown too large; from then on its bytes are dropped. */
  #limit(length: number): void {
    if (length > maxValueBytes) {
      this.#refusal ??= `ERR an argument of ${length} bytes exceeds the limit of ${maxValueBytes} bytes`;
    } else if (this.#at - this.#start + length > maxRequestBytes) {
      this.#refusal ??= `ERR the command exceeds the limit of ${maxRequestBytes} bytes`;
    }
    if (this.#refusal !== null) this.#skip = length + 2;
  }

  #skipOn(): ParseStep | null {
    const step = Math.min(this.#skip, this.#end - this.#at);
    this.#at += step;
    this.#start = this.#at;
    this.#skip -= step;
    if (this.#skip > 0) return 'more';
    this.#bulk = -1;
    this.#index++;
    return null;
  }

  #finish(): ParseStep {
    this.frame.count = this.#arguments;
    this.#arguments = -1;
    this.#index = 0;
    this.frame.bytes = this.#bytes;
    this.frame.start = this.#start;
    this.frame.end = this.#at;
    this.#start = this.#at;
    if (this.#refusal === null) return 'command';
    this.reason = this.#refusal;
    return 'refused';
  }

  #inline(): ParseStep | null {
    const from = Math.max(this.#scanned, this.#at);
    const found = this.#bytes.indexOf(10, from);
    const end = found < 0 || found >= this.#end ? -1 : found;
    this.#scanned = this.#end;
    const length = (end < 0 ? this.#end : end) - this.#at;
    if (length > maxInlineBytes) return this.#broken('too big inline request');
    if (end < 0) return 'more';
    const words = splitInline(this.#bytes.subarray(this.#at, end));
    this.#at = end + 1;
    this.#scanned = this.#at;
    if (words === null) return this.#broken('unbalanced quotes in request');
    if (words.length === 0) return null;
    readTrusted(this.frame, encodeCommand(words), 0);
    this.#start = this.#at;
    return 'command';
  }

  /** The number of a `*` or `$` line whose digits begin at `from`; sets `#next` to what follows the line. */
  #lengthAt(from: number): number {
    let at = from;
    const negative = this.#bytes[at] === 45 && at < this.#end;
    if (negative) at++;
    let value = 0;
    const firstDigit = at;
    while (at < this.#end) {
      const digit = (this.#bytes[at] ?? 0) - 48;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
      at++;
    }
    if (at - from > maxLengthLine) return malformed;
    return this.#lineEnd(at) ?? this.#signed(value, negative, at > firstDigit);
  }

  /** Null when a line end is at `at`. */
  #lineEnd(at: number): number | null {
    if (at >= this.#end) return incomplete;
    if (this.#bytes[at] !== 13) return malformed;
    if (at + 1 >= this.#end) return incomplete;
    if (this.#bytes[at + 1] !== 10) return malformed;
    this.#next = at + 2;
    return null;
  }

  #signed(value: number, negative: boolean, digits: boolean): number {
    if (!digits) return malformed;
    return negative ? -1 : value;
  }

  #broken(why: string): ParseStep {
    this.reason = `ERR Protocol error: ${why}`;
    return 'broken';
  }
}

const printable = (byte: number): string =>
  byte >= 32 && byte < 127 ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
