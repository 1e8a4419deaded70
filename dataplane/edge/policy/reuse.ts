import type { RequestDirectives } from './request-directives.ts';
import { forbidsStale } from './response-directives.ts';
import { currentAge, type StoredResponse } from './stored-response.ts';

/** What to do with a stored response that matches a request. */
export type Reuse =
  /** Serve it. `stale` when the client allowed that by max-stale. */
  | { readonly kind: 'serve'; readonly stale: boolean }
  /** Serve it and validate it in the background (RFC 5861 section 3). */
  | { readonly kind: 'serve-and-revalidate' }
  /** Ask the origin whether it still holds; the reason is a Cache-Status `fwd` value (RFC 9211 section 2.2). */
  | { readonly kind: 'validate'; readonly reason: 'stale' | 'request' };

const serve: Reuse = { kind: 'serve', stale: false };
const serveStale: Reuse = { kind: 'serve', stale: true };
const serveAndRevalidate: Reuse = { kind: 'serve-and-revalidate' };
const validateStale: Reuse = { kind: 'validate', reason: 'stale' };
const validateOnRequest: Reuse = { kind: 'validate', reason: 'request' };

/** Seconds of freshness that are left; negative once stale. */
export const timeToLive = (stored: StoredResponse, now: number): number =>
  stored.lifetimeSeconds - currentAge(stored, now);

/** RFC 9111 section 5.2.1: does the client want something fresher than what it would get? */
function wantsFresher(request: RequestDirectives, age: number, ttl: number): boolean {
  if (request.noCache) return true;
  if (request.maxAge !== undefined && age > request.maxAge) return true;
  return request.minFresh !== undefined && ttl < request.minFresh;
}

/**
 * May a stored response be used for a request now (RFC 9111 section 4)?
 * @param staleBefore responses received before this time (ms) count as stale, whatever they say: a soft purge of all
 */
export function decideReuse(stored: StoredResponse, request: RequestDirectives, now: number, staleBefore = 0): Reuse {
  const { directives } = stored;
  const ttl = timeToLive(stored, now);
  if (directives.noCache || stored.responseTime < staleBefore) return validateStale;
  if (ttl > 0) return wantsFresher(request, stored.lifetimeSeconds - ttl, ttl) ? validateOnRequest : serve;
  return decideStale(stored, request, -ttl);
}

function decideStale(stored: StoredResponse, request: RequestDirectives, staleFor: number): Reuse {
  const { directives } = stored;
  if (forbidsStale(directives) || request.noCache) return validateStale;
  const window = directives.staleWhileRevalidate;
  if (window !== undefined && staleFor < window && request.maxAge === undefined && request.minFresh === undefined) {
    return serveAndRevalidate;
  }
  return request.maxStale !== undefined && staleFor <= request.maxStale ? serveStale : validateStale;
}

/** How the origin failed: it could not be reached, or it answered with an error. */
export type OriginFailure = 'unreachable' | 'error-status';

/** Status codes of an origin in trouble (RFC 5861 section 4). */
export const isErrorStatus = (status: number): boolean =>
  status === 500 || status === 502 || status === 503 || status === 504;

/**
 * May a stale response stand in for an origin that failed? stale-if-error says so (RFC 5861 section 4); a cache that is
 * cut off from the origin may do it as well (RFC 9111 section 4.2.4), here for at most `graceSeconds`.
 */
export function mayServeOnError(
  stored: StoredResponse,
  request: RequestDirectives,
  failure: OriginFailure,
  clock: { readonly now: number; readonly graceSeconds: number },
): boolean {
  if (forbidsStale(stored.directives) || request.noCache) return false;
  const staleFor = -timeToLive(stored, clock.now);
  const allowed = Math.max(
    stored.directives.staleIfError ?? 0,
    request.staleIfError ?? 0,
    failure === 'unreachable' && stored.directives.staleIfError === undefined ? clock.graceSeconds : 0,
  );
  return staleFor < allowed;
}
