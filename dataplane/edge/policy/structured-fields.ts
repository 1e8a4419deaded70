/**
 * Structured dictionaries (RFC 9651 section 4.2.2), as far as cache directives need them: members with their bare
 * values. Parameters and inner lists are checked for syntax and dropped.
 */

export type BareItem =
  | { readonly type: 'integer' | 'decimal'; readonly value: number }
  | { readonly type: 'string' | 'token' | 'bytes'; readonly value: string }
  | { readonly type: 'boolean'; readonly value: boolean }
  | { readonly type: 'inner-list' };

/** Thrown and caught in this file only: the caller sees undefined. */
class SyntaxFault extends Error {
  override readonly name = 'SyntaxFault';
}

const keyPattern = /[a-z*][a-z0-9_.*-]*/y;
const decimalPattern = /-?\d{1,12}\.\d{1,3}(?![\d.])/y;
const integerPattern = /-?\d{1,15}(?![\d.])/y;
const stringPattern = /"((?:[ !#-[\]-~]|\\["\\])*)"/y;
const tokenPattern = /[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*/y;
const bytesPattern = /:([A-Za-z0-9+/=]*):/y;
const booleanPattern = /\?([01])/y;

class Scanner {
  private at = 0;
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  get done(): boolean {
    return this.at >= this.text.length;
  }

  match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.text);
    if (match) this.at = pattern.lastIndex;
    return match;
  }

  take(char: string): boolean {
    if (this.text[this.at] !== char) return false;
    this.at++;
    return true;
  }

  skip(chars: string): void {
    while (this.at < this.text.length && chars.includes(this.text[this.at] as string)) this.at++;
  }
}

const bareItems: readonly (readonly [RegExp, (match: RegExpExecArray) => BareItem])[] = [
  [decimalPattern, (match) => ({ type: 'decimal', value: Number(match[0]) })],
  [integerPattern, (match) => ({ type: 'integer', value: Number(match[0]) })],
  [stringPattern, (match) => ({ type: 'string', value: (match[1] ?? '').replace(/\\(.)/g, '$1') })],
  [tokenPattern, (match) => ({ type: 'token', value: match[0] })],
  [bytesPattern, (match) => ({ type: 'bytes', value: match[1] ?? '' })],
  [booleanPattern, (match) => ({ type: 'boolean', value: match[1] === '1' })],
];

function bareItem(scanner: Scanner): BareItem {
  for (const [pattern, build] of bareItems) {
    const match = scanner.match(pattern);
    if (match) return build(match);
  }
  throw new SyntaxFault('an item was expected');
}

function parameters(scanner: Scanner): void {
  while (scanner.take(';')) {
    scanner.skip(' ');
    if (!scanner.match(keyPattern)) throw new SyntaxFault('a parameter was expected');
    if (scanner.take('=')) bareItem(scanner);
  }
}

function innerList(scanner: Scanner): BareItem {
  scanner.skip(' ');
  while (!scanner.take(')')) {
    bareItem(scanner);
    parameters(scanner);
    if (scanner.done) throw new SyntaxFault('an inner list was not closed');
    scanner.skip(' ');
  }
  return { type: 'inner-list' };
}

function member(scanner: Scanner): BareItem {
  if (!scanner.take('=')) return { type: 'boolean', value: true };
  return scanner.take('(') ? innerList(scanner) : bareItem(scanner);
}

/** Parses a dictionary; undefined when the text is none. The last of several members with one key wins. */
export function parseDictionary(text: string): Map<string, BareItem> | undefined {
  const scanner = new Scanner(text);
  const members = new Map<string, BareItem>();
  try {
    scanner.skip(' ');
    while (!scanner.done) {
      const key = scanner.match(keyPattern)?.[0];
      if (key === undefined) return undefined;
      members.set(key, member(scanner));
      parameters(scanner);
      scanner.skip(' \t');
      if (scanner.done) return members;
      if (!scanner.take(',')) return undefined;
      scanner.skip(' \t');
      if (scanner.done) return undefined;
    }
    return members;
  } catch (error) {
    if (error instanceof SyntaxFault) return undefined;
    throw error;
  }
}
