/**
 * The language of `simple_query_string` and `?q=`. Any text is a query; what makes no sense as an operator is a word or is
 * left out. `+` before a word requires it and `-` excludes it, wherever they stand; `a + b` and `a+b` require both; `|` is or and
 * binds loosest; `"…"` is a phrase (`~2`: with slop); `word*` a prefix; parentheses group; `\` takes the next character as it
 * is. (Lucene's own parser ignores a leading `+`, and with its default operator `-x` matches nearly everything; here, as
 * people mean it, the rest of the group decides.)
 */
export type SimpleNode =
  | { readonly type: 'word'; readonly text: string }
  | { readonly type: 'prefix'; readonly text: string }
  | { readonly type: 'phrase'; readonly text: string; readonly slop: number }
  | {
      readonly type: 'group';
      readonly required: SimpleNode[];
      readonly excluded: SimpleNode[];
      readonly optional: SimpleNode[];
    }
  | { readonly type: 'or'; readonly branches: SimpleNode[] };

/** Parentheses within parentheses; deeper ones are left out. */
const deepest = 20;
/** Words, phrases and groups of one query; what follows is left out. */
const most = 512;
const maxSlop = 1000;

type Token =
  | { readonly type: 'word' | 'phrase'; readonly text: string; readonly prefix: boolean; readonly slop: number }
  | { readonly type: '+' | '-' | '|' | '(' | ')'; readonly joins: boolean };

class Lexer {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  *tokens(): Generator<Token> {
    while (this.#at < this.#text.length) {
      const char = this.#text.charAt(this.#at);
      if (/\s/.test(char)) this.#at++;
      else if (char === '"') yield this.#phrase();
      else if (char === '-' ? this.#startsWord() : '+|()'.includes(char)) yield this.#operator(char);
      else yield this.#word();
    }
  }

  /** A minus negates only at the start of a word. */
  #startsWord(): boolean {
    return this.#at === 0 || /[\s+|("-]/.test(this.#text.charAt(this.#at - 1));
  }

  #operator(char: string): Token {
    const attached = this.#at > 0 && !/[\s(|+-]/.test(this.#text.charAt(this.#at - 1));
    this.#at++;
    return { type: char as '+', joins: attached || !/\S/.test(this.#text.charAt(this.#at)) };
  }

  #phrase(): Token {
    let text = '';
    this.#at++;
    while (this.#at < this.#text.length && this.#text.charAt(this.#at) !== '"') text += this.#char();
    this.#at++;
    return { type: 'phrase', text, prefix: false, slop: this.#tilde() };
  }

  #word(): Token {
    let text = '';
    let star = false;
    while (this.#at < this.#text.length && !/[\s+|()"]/.test(this.#text.charAt(this.#at))) {
      const escaped = this.#text.charAt(this.#at) === '\\';
      const char = this.#char();
      star = char === '*' && !escaped;
      text += char;
    }
    if (star) text = text.slice(0, -1);
    const fuzzy = /^(.+)~\d*$/.exec(text);
    return { type: 'word', text: fuzzy?.[1] ?? text, prefix: star, slop: 0 };
  }

  /** The character here, without its escape. */
  #char(): string {
    if (this.#text.charAt(this.#at) === '\\') this.#at++;
    return this.#text.charAt(this.#at++);
  }

  #tilde(): number {
    const match = /^~(\d{0,4})/.exec(this.#text.slice(this.#at, this.#at + 6));
    this.#at += match?.[0].length ?? 0;
    return Math.min(maxSlop, Number(match?.[1] ?? 0));
  }
}

/** A clause of the group at hand, and what its sign says. */
interface Signed {
  readonly node: SimpleNode;
  sign: 'required' | 'excluded' | 'optional';
}

class Parser {
  readonly #tokens: Token[];
  readonly #and: boolean;
  #at = 0;
  #count = 0;

  constructor(tokens: Token[], and: boolean) {
    this.#tokens = tokens;
    this.#and = and;
  }

  /** Everything up to the parenthesis that closes this group. */
  group(depth: number): SimpleNode | null {
    const branches: SimpleNode[] = [];
    let clauses: Signed[] = [];
    const close = (): void => {
      const branch = groupOf(clauses);
      if (branch !== null) branches.push(branch);
      clauses = [];
    };
    for (let token = this.#tokens[this.#at]; token !== undefined; token = this.#tokens[this.#at]) {
      if (token.type === ')' && depth > 0) break;
      if (token.type === '|') close();
      if (token.type === '|' || token.type === ')') this.#at++;
      else this.#clause(clauses, depth);
    }
    close();
    this.#at++;
    return branches.length <= 1 ? (branches[0] ?? null) : { type: 'or', branches };
  }

  #clause(clauses: Signed[], depth: number): void {
    const sign = this.#sign(clauses);
    const token = this.#tokens[this.#at];
    if (token === undefined || token.type === ')' || token.type === '|') return;
    this.#at++;
    const node = token.type === '(' ? this.#inner(depth) : leafOf(token);
    if (node === null || ++this.#count > most) return;
    clauses.push({ node, sign });
  }

  #inner(depth: number): SimpleNode | null {
    return depth < deepest ? this.group(depth + 1) : null;
  }

  /** Reads signs; a `+` that stands between two words requires the one before it too. */
  #sign(clauses: Signed[]): Signed['sign'] {
    let sign: Signed['sign'] = this.#and ? 'required' : 'optional';
    for (let token = this.#tokens[this.#at]; token !== undefined; token = this.#tokens[this.#at]) {
      if (token.type !== '+' && token.type !== '-') break;
      this.#at++;
      sign = signAfter(sign, token.type);
      const last = clauses.at(-1);
      if (token.type === '+' && token.joins && last?.sign === 'optional') last.sign = 'required';
    }
    return sign;
  }
}

function signAfter(sign: Signed['sign'], token: '+' | '-'): Signed['sign'] {
  if (token === '-') return sign === 'excluded' ? 'required' : 'excluded';
  return sign === 'excluded' ? sign : 'required';
}

function leafOf(token: Token): SimpleNode | null {
  if (token.type !== 'word' && token.type !== 'phrase') return null;
  if (token.text === '') return null;
  if (token.type === 'phrase') return { type: 'phrase', text: token.text, slop: token.slop };
  return { type: token.prefix ? 'prefix' : 'word', text: token.text };
}

function groupOf(clauses: readonly Signed[]): SimpleNode | null {
  if (clauses.length === 0) return null;
  const [only] = clauses;
  if (clauses.length === 1 && only !== undefined && only.sign !== 'excluded') return only.node;
  const having = (sign: Signed['sign']): SimpleNode[] =>
    clauses.filter((clause) => clause.sign === sign).map(({ node }) => node);
  const group = { required: having('required'), excluded: having('excluded'), optional: having('optional') };
  return { type: 'group', ...group };
}

/** The query that a text means; null: no words in it. Never throws. `and`: words without a sign are required. */
export function parseSimpleQueryString(text: string, and: boolean): SimpleNode | null {
  const tokens: Token[] = [];
  for (const token of new Lexer(text).tokens()) {
    tokens.push(token);
    if (tokens.length > most * 4) break;
  }
  return new Parser(tokens, and).group(0);
}
