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

/** The places of the values in the order of {@link compareByBytes}; by the engine's own comparison where the two agree. */
export function orderByBytes(values: readonly string[]): Uint32Array {
  const places = Uint32Array.from(values, (_, place) => place);
  if (values.some((value) => surrogate.test(value))) {
    return places.sort((a, b) => compareByBytes(values[a] as string, values[b] as string));
  }
  return places.sort((a, b) => ((values[a] as string) < (values[b] as string) ? -1 : 1));
}
