/** Why a request went to the origin (RFC 9211 section 2.2). */
export type ForwardReason = 'bypass' | 'method' | 'uri-miss' | 'vary-miss' | 'request' | 'stale' | 'partial';

/** What a cache did with a request (RFC 9211 section 2). */
export type CacheOutcome =
  | { readonly hit: true; readonly ttlSeconds: number; readonly detail?: string }
  | {
      readonly hit: false;
      readonly forward: ForwardReason;
      readonly forwardStatus?: number;
      readonly stored?: boolean;
      readonly collapsed?: boolean;
      readonly detail?: string;
    };

const isToken = (text: string): boolean => /^[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*$/.test(text);

/** The cache's name as a token, else as a string (RFC 9211 section 2). */
export const cacheName = (name: string): string => (isToken(name) ? name : `"${name.replace(/[^ -!#-[\]-~]/g, '')}"`);

/** This cache's member of Cache-Status. `name` comes from {@link cacheName}. */
export function cacheStatus(name: string, outcome: CacheOutcome): string {
  const detail = outcome.detail === undefined ? '' : `; detail=${cacheName(outcome.detail)}`;
  if (outcome.hit) return `${name}; hit; ttl=${Math.trunc(outcome.ttlSeconds)}${detail}`;
  const status = outcome.forwardStatus === undefined ? '' : `; fwd-status=${outcome.forwardStatus}`;
  const stored = outcome.stored === true ? '; stored' : '';
  const collapsed = outcome.collapsed === true ? '; collapsed' : '';
  return `${name}; fwd=${outcome.forward}${status}${stored}${collapsed}${detail}`;
}
