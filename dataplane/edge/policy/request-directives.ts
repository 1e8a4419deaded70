import { parseCacheControl, secondsOf } from './cache-control.ts';

/** What a request asks of the cache (RFC 9111 section 5.2.1). Durations in seconds. */
export interface RequestDirectives {
  readonly noCache: boolean;
  readonly noStore: boolean;
  readonly onlyIfCached: boolean;
  readonly maxAge: number | undefined;
  readonly minFresh: number | undefined;
  /** How stale a response may be; Infinity for max-stale without a number. */
  readonly maxStale: number | undefined;
  /** RFC 5861 section 4. */
  readonly staleIfError: number | undefined;
}

/** A request that asks for nothing. */
export const noDirectives: RequestDirectives = {
  noCache: false,
  noStore: false,
  onlyIfCached: false,
  maxAge: undefined,
  minFresh: undefined,
  maxStale: undefined,
  staleIfError: undefined,
};

/**
 * Reads Cache-Control of a request. Pragma is deprecated (RFC 9111 section 5.4) and counts only without Cache-Control.
 */
export function requestDirectives(cacheControl: string | undefined, pragma: string | undefined): RequestDirectives {
  if (cacheControl === undefined) {
    return pragma !== undefined && /\bno-cache\b/i.test(pragma) ? { ...noDirectives, noCache: true } : noDirectives;
  }
  const directives = parseCacheControl(cacheControl);
  return {
    noCache: directives.has('no-cache'),
    noStore: directives.has('no-store'),
    onlyIfCached: directives.has('only-if-cached'),
    maxAge: secondsOf(directives, 'max-age'),
    minFresh: secondsOf(directives, 'min-fresh'),
    maxStale: directives.get('max-stale') === true ? Infinity : secondsOf(directives, 'max-stale'),
    staleIfError: secondsOf(directives, 'stale-if-error'),
  };
}
