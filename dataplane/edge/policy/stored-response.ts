import type { RawFields } from './fields.ts';
import type { LifetimeSource } from './freshness.ts';
import type { ResponseDirectives } from './response-directives.ts';

/** The bytes that a stored 206 covers; positions are inclusive. */
export interface StoredPart {
  readonly first: number;
  readonly last: number;
  /** Length of the whole representation; undefined when the origin did not say. */
  readonly length: number | undefined;
  /** The Range field that was asked with: the same request gets the same answer. */
  readonly requested: string;
}

/** A request field that selected a response, with its value in normal form ('' = absent). */
export type SelectingField = readonly [name: string, value: string];

/** A response that a cache holds. Immutable but for the memo: freshening makes another one. Times in ms, durations in seconds. */
export interface StoredResponse {
  /** Primary key: host and target, see `cacheKey`. */
  readonly key: string;
  readonly status: number;
  readonly reason: string;
  /** End-to-end fields that may be stored, Content-Length included. */
  readonly fields: RawFields;
  readonly body: Buffer;
  /** Set when the body is a part of the representation (status 206). */
  readonly part: StoredPart | undefined;
  readonly directives: ResponseDirectives;
  readonly vary: readonly SelectingField[];
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
  readonly responseTime: number;
  readonly initialAgeSeconds: number;
  readonly lifetimeSeconds: number;
  readonly lifetimeSource: LifetimeSource;
  /** Names from Cache-Tag and Surrogate-Key, for purges. */
  readonly tags: readonly string[];
  /** Headers of the last hit, good for one second: a memo of the serving side, no part of the response. */
  hitMemo: { readonly second: number; readonly fields: string[] } | undefined;
}

/** current_age of RFC 9111 section 4.2.3, in seconds. */
export const currentAge = (stored: StoredResponse, now: number): number =>
  stored.initialAgeSeconds + Math.max(0, now - stored.responseTime) / 1000;

/** The key of a response: host in lower case, and the target as sent (RFC 9111 section 2). */
export const cacheKey = (host: string, target: string): string => `${host.toLowerCase().replace(/:80$/, '')}${target}`;
