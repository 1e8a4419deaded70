/**
 * The one order of document ids and terms: by UTF-8 bytes, which is by code point. JavaScript's own order (by UTF-16 unit)
 * differs from it only where surrogates meet units above U+E000.
 */
export function compareByBytes(a: string, b: string): number {
  const shared = Math.min(a.length, b.length);
  let at = 0;
  while (at < shared && a.charCodeAt(at) === b.charCodeAt(at)) at++;
  if (at === shared) return a.length - b.length;
  return rank(a.charCodeAt(at)) - rank(b.charCodeAt(at));
}

/** Surrogates stand for code points above the whole basic plane. */
const rank = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit);

const surrogate = /[\ud800-\udfff]/;

/** Sorts in place by {@link compareByBytes}; uses the engine's fast default order where the two agree. */
export function sortByBytes(values: string[]): string[] {
  return values.some((value) => surrogate.test(value)) ? values.sort(compareByBytes) : values.sort();
}
