/**
 * A Bloom filter over document ids: most look-ups of ids that a segment does not hold end here. Ten bits and four probes
 * an id make about 1 % false answers.
 */
const bitsPerId = 10;
const probes = 4;

/** FNV-1a over UTF-16 units, with a final mix; two halves give all probes (Kirsch, Mitzenmacher 2006). */
function hash(id: string, seed: number): number {
  let state = seed;
  for (let i = 0; i < id.length; i++) state = Math.imul(state ^ id.charCodeAt(i), 0x01000193);
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  return (state ^ (state >>> 13)) >>> 0;
}

export function buildIdFilter(count: number, idAt: (index: number) => string): Uint32Array {
  const filter = new Uint32Array(Math.max(1, Math.ceil((count * bitsPerId) / 32)));
  const bits = filter.length * 32;
  for (let i = 0; i < count; i++) {
    const id = idAt(i);
    const first = hash(id, 0x811c9dc5);
    const step = (hash(id, 0x9747b28c) | 1) >>> 0;
    for (let probe = 0; probe < probes; probe++) {
      const bit = (first + probe * step) % bits;
      filter[bit >>> 5] = (filter[bit >>> 5] as number) | (1 << (bit & 31));
    }
  }
  return filter;
}

/** False: surely not in. */
export function mayHoldId(filter: Uint32Array, id: string): boolean {
  const bits = filter.length * 32;
  const first = hash(id, 0x811c9dc5);
  const step = (hash(id, 0x9747b28c) | 1) >>> 0;
  for (let probe = 0; probe < probes; probe++) {
    const bit = (first + probe * step) % bits;
    if (((filter[bit >>> 5] as number) & (1 << (bit & 31))) === 0) return false;
  }
  return true;
}
