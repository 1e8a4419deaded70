import { parseDeltaSeconds } from './cache-control.ts';
import { fieldLines, firstLine, type RawFields } from './fields.ts';
import { parseHttpDate } from './http-date.ts';
import type { ResponseDirectives } from './response-directives.ts';

/** A response and when it was exchanged; times in milliseconds. */
export interface TimedResponse {
  readonly status: number;
  readonly fields: RawFields;
  readonly directives: ResponseDirectives;
  readonly requestTime: number;
  readonly responseTime: number;
}

/** Where a freshness lifetime came from. */
export type LifetimeSource = 'targeted' | 's-maxage' | 'max-age' | 'expires' | 'policy' | 'heuristic' | 'none';

export interface Lifetime {
  readonly seconds: number;
  readonly source: LifetimeSource;
}

/** Status codes that may be given a heuristic lifetime (RFC 9110 section 15.1). 206 is served by its own rules. */
const heuristicallyCacheable = new Set([200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501]);

/** Share of the time since the last modification that a response is taken to stay fresh (RFC 9111 section 4.2.2). */
const heuristicShare = 0.1;
const heuristicMaxSeconds = 7 * 24 * 3600;

/** RFC 9110 section 15.1, or `public`, which says the same explicitly (RFC 9111 section 5.2.2.9). */
export const allowsHeuristic = (status: number, directives: ResponseDirectives): boolean =>
  heuristicallyCacheable.has(status) || directives.isPublic;

const dateOf = (response: TimedResponse): number => {
  const line = firstLine(response.fields, 'date');
  // RFC 9110 section 6.6.1: without a usable Date, the time of receipt takes its place.
  return (line === undefined ? undefined : parseHttpDate(line, response.responseTime)) ?? response.responseTime;
};

/** RFC 9111 section 5.3: an Expires that is no date, or more than one, is in the past. */
function expiresLifetime(response: TimedResponse): number | undefined {
  const lines = fieldLines(response.fields, 'expires');
  if (lines.length === 0) return undefined;
  if (new Set(lines).size > 1) return 0;
  const expires = parseHttpDate(lines[0] ?? '', response.responseTime);
  return expires === undefined ? 0 : Math.max(0, (expires - dateOf(response)) / 1000);
}

function heuristicLifetime(response: TimedResponse): Lifetime {
  const line = firstLine(response.fields, 'last-modified');
  const modified = line === undefined ? undefined : parseHttpDate(line, response.responseTime);
  if (modified === undefined || !allowsHeuristic(response.status, response.directives)) {
    return { seconds: 0, source: 'none' };
  }
  const seconds = Math.max(0, ((dateOf(response) - modified) / 1000) * heuristicShare);
  return { seconds: Math.min(seconds, heuristicMaxSeconds), source: 'heuristic' };
}

function directiveLifetime(directives: ResponseDirectives): Lifetime | undefined {
  const targeted = directives.targetedBy !== undefined;
  if (directives.sharedMaxAge !== undefined) {
    return { seconds: directives.sharedMaxAge, source: targeted ? 'targeted' : 's-maxage' };
  }
  if (directives.maxAge === undefined) return undefined;
  return { seconds: directives.maxAge, source: targeted ? 'targeted' : 'max-age' };
}

/**
 * How long a response is fresh (RFC 9111 section 4.2.1): s-maxage, max-age, Expires; then the operator's default for
 * responses on which the origin is silent; then a heuristic.
 * @param defaultSeconds TTL of the policy table; undefined when the resource does not ask for it
 */
export function freshnessLifetime(response: TimedResponse, defaultSeconds?: number): Lifetime {
  const explicit = directiveLifetime(response.directives);
  if (explicit) return explicit;
  // RFC 9213 section 2.1: a targeted field takes the place of Expires too.
  const expires = response.directives.targetedBy === undefined ? expiresLifetime(response) : undefined;
  if (expires !== undefined) return { seconds: expires, source: 'expires' };
  if (defaultSeconds !== undefined && allowsHeuristic(response.status, response.directives)) {
    return { seconds: defaultSeconds, source: 'policy' };
  }
  return heuristicLifetime(response);
}

/** RFC 9111 section 5.1: the first member of the first line counts; what is no number is ignored. */
function ageValue(fields: RawFields): number {
  const line = firstLine(fields, 'age');
  const first = line?.split(',', 1)[0]?.trim();
  return (first === undefined ? undefined : parseDeltaSeconds(first)) ?? 0;
}

/** corrected_initial_age of RFC 9111 section 4.2.3, in seconds. */
export function initialAge(response: TimedResponse): number {
  const apparent = Math.max(0, (response.responseTime - dateOf(response)) / 1000);
  const corrected = ageValue(response.fields) + (response.responseTime - response.requestTime) / 1000;
  return Math.max(apparent, corrected);
}
