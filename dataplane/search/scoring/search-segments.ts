import type { Plan } from '../query/plan.ts';
import { compareByBytes } from '../segment/byte-order.ts';
import type { LiveDocuments } from '../segment/live-documents.ts';
import type { Segment } from '../segment/segment.ts';
import { scoreQuantum } from './bm25.ts';
import { BoundedHeap } from './bounded-heap.ts';
import { type Clause, countBits, nextBit, Window, windowSize } from './clause.ts';
import { Compiler } from './compile.ts';
import { compareKeys, keyReader, type SortField, type SortKey } from './sort.ts';
import type { Statistics } from './statistics.ts';

/** A segment as a search sees it. */
export interface SearchedSegment {
  readonly segment: Segment;
  readonly live: LiveDocuments;
}

export interface SearchOptions {
  readonly statistics: Statistics;
  /** How many hits to find. */
  readonly limit: number;
  /** Matches are counted exactly up to here; then documents that cannot become hits may be skipped. */
  readonly countUpTo: number;
  /** Null: by score. Equal ones are always ordered by id. */
  readonly sort: readonly SortField[] | null;
  /** Only documents that come after these keys (`search_after`). Needs `sort`. */
  readonly after: readonly SortKey[] | null;
}

export interface Hit {
  /** Number of the segment among those searched. */
  readonly segment: number;
  readonly doc: number;
  readonly score: number;
  /** Sort keys; empty when sorted by score. */
  readonly keys: readonly SortKey[];
}

export interface SearchOutcome {
  /** Best first. */
  readonly hits: readonly Hit[];
  readonly total: number;
  /** False: `total` is a lower bound. */
  readonly exact: boolean;
}

const noKeys: readonly SortKey[] = [];

/** One search over the segments of a shard. Synchronous: it sees one state of the shard. */
export function searchSegments(
  segments: readonly SearchedSegment[],
  plan: Plan,
  options: SearchOptions,
): SearchOutcome {
  return new SegmentSearch(segments, plan, options).run();
}

class SegmentSearch {
  readonly #segments: readonly SearchedSegment[];
  readonly #plan: Plan;
  readonly #options: SearchOptions;
  readonly #heap: BoundedHeap<Hit>;
  readonly #window = new Window();
  readonly #scored: boolean;
  #total = 0;
  #exact = true;
  /** The total is known without looking at every match. */
  readonly #knownTotal: number | null;

  constructor(segments: readonly SearchedSegment[], plan: Plan, options: SearchOptions) {
    this.#segments = segments;
    this.#plan = plan;
    this.#options = options;
    this.#heap = new BoundedHeap<Hit>(options.limit, (a, b) => this.#compare(a, b));
    this.#scored = options.sort === null || options.sort.some(({ field }) => field === '_score');
    this.#knownTotal = totalWithoutSearch(segments, plan);
  }

  run(): SearchOutcome {
    const { limit } = this.#options;
    if (this.#knownTotal === null || limit > 0) {
      const order = this.#segments.map((_, index) => index).sort((a, b) => this.#size(b) - this.#size(a));
      for (const index of order) this.#searchSegment(index);
    }
    return {
      hits: this.#heap.sorted(),
      total: this.#knownTotal ?? this.#total,
      exact: this.#knownTotal !== null || this.#exact,
    };
  }

  #size(index: number): number {
    return this.#segments[index]?.segment.docCount ?? 0;
  }

  #compare(a: Hit, b: Hit): number {
    const { sort } = this.#options;
    const order = sort === null ? b.score - a.score : compareKeys(a.keys, b.keys, sort);
    if (order !== 0) return order;
    // documents of a segment are numbered by id
    return a.segment === b.segment ? a.doc - b.doc : compareByBytes(this.#idOf(a), this.#idOf(b));
  }

  #idOf({ segment, doc }: Hit): string {
    return this.#segments[segment]?.segment.idOf(doc) ?? '';
  }

  #searchSegment(index: number): void {
    const { segment, live } = this.#segments[index] as SearchedSegment;
    const clause = new Compiler(segment, this.#options.statistics).compile(this.#plan, this.#scored);
    const collect = this.#collector(index, segment);
    const window = this.#window;
    for (let doc = clause.next(0); doc < segment.docCount;) {
      const base = doc & ~31;
      this.#evaluate(clause, base, index);
      removeDeleted(window, live);
      if (this.#knownTotal === null) this.#total += countBits(window.bits);
      for (let offset = nextBit(window.bits, 0); offset < windowSize; offset = nextBit(window.bits, offset + 1)) {
        collect(base + offset, window.scores[offset] as number);
      }
      doc = base + windowSize < segment.docCount ? clause.next(base + windowSize) : segment.docCount;
    }
  }

  #evaluate(clause: Clause, base: number, segment: number): void {
    const window = this.#window;
    window.clear(base);
    const minScore = this.#minScore(segment);
    if (minScore > 0) {
      if (this.#knownTotal === null) this.#exact = false;
      if (clause.bound(base, base + windowSize) < minScore) return;
    }
    clause.collect(window, { candidates: null, minScore });
  }

  /** Documents of that segment with less cannot become hits; 0 while every match has to be counted. */
  #minScore(segment: number): number {
    const { sort, countUpTo } = this.#options;
    const { worst } = this.#heap;
    const counting = this.#knownTotal === null && this.#total < countUpTo;
    if (sort !== null || counting || !this.#heap.full || worst === undefined) return 0;
    // later documents of the same segment have higher ids: they lose against equal scores
    return worst.segment === segment ? worst.score + scoreQuantum : worst.score;
  }

  #collector(index: number, segment: Segment): (doc: number, score: number) => void {
    const heap = this.#heap;
    const { sort, after, limit } = this.#options;
    if (limit === 0) return () => {};
    if (sort === null) {
      return (doc, score) => {
        const { worst } = heap;
        if (heap.full && worst !== undefined && score < worst.score) return;
        heap.offer({ segment: index, doc, score, keys: noKeys });
      };
    }
    const keysOf = keyReader(segment, sort);
    return (doc, score) => {
      const keys = keysOf(doc, score);
      if (after !== null && compareKeys(keys, after, sort) <= 0) return;
      heap.offer({ segment: index, doc, score, keys });
    };
  }
}

function removeDeleted({ base, bits }: Window, { deleted, log }: LiveDocuments): void {
  if (log.length === 0) return;
  const first = base >>> 5;
  for (let i = 0; i < bits.length; i++) bits[i] = (bits[i] as number) & ~(deleted[first + i] ?? 0);
}

/** The number of matches, when the statistics alone say it. */
function totalWithoutSearch(segments: readonly SearchedSegment[], plan: Plan): number | null {
  if (plan.type === 'none') return 0;
  if (plan.type === 'all') return segments.reduce((sum, { live }) => sum + live.count, 0);
  if (plan.type !== 'term') return null;
  let total = 0;
  for (const { segment, live } of segments) {
    const field = segment.fields.get(plan.field);
    const place = field?.terms.indexOf(plan.term) ?? -1;
    if (field !== undefined && place >= 0) total += live.df(field, place);
  }
  return total;
}
