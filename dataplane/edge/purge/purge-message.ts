import { z } from 'zod';
import { cacheKey } from '../policy/stored-response.ts';
import type { PurgeSelection } from '../serve/edge.ts';

const text = z.string().min(1).max(8192);

/** What a caller asks to purge: the body of `POST /.quartet/purge`. */
export const purgeRequest = z
  .strictObject({
    /** Absolute http(s) URLs: every variant of each. */
    urls: z.array(text).max(1000).default([]),
    /** Absolute URLs: everything that starts with one. */
    prefixes: z.array(text).max(100).default([]),
    /** Names from Cache-Tag or Surrogate-Key of responses. */
    tags: z.array(text.max(256)).max(100).default([]),
  })
  .refine(({ urls, prefixes, tags }) => urls.length + prefixes.length + tags.length > 0, {
    message: 'one of urls, prefixes and tags must name something',
  });
export type PurgeRequest = z.infer<typeof purgeRequest>;

/** From whoever purges to all edges, on `purgeSubject`. */
export const purgeMessage = z.object({
  id: z.string(),
  keys: z.array(z.string()).readonly(),
  prefixes: z.array(z.string()).readonly(),
  tags: z.array(z.string()).readonly(),
});
export type PurgeMessage = z.infer<typeof purgeMessage>;

/** An edge's answer: the purge is done there. */
export const purgeReply = z.object({
  id: z.string(),
  pod: z.string(),
  edge: z.string(),
  /** Stored responses that were removed. */
  removed: z.number().int().nonnegative(),
});
export type PurgeReply = z.infer<typeof purgeReply>;

/** The cache key, or its start, of an absolute URL; undefined when it is none. */
export function keyOfUrl(url: string): string | undefined {
  const parsed = URL.parse(url);
  if (parsed === null || (parsed.protocol !== 'http:' && parsed.protocol !== 'https:')) return undefined;
  return cacheKey(parsed.host, `${parsed.pathname}${parsed.search}`);
}

/** The selection of a request, or the first URL in it that is none. */
export function selectionOf(request: PurgeRequest): PurgeSelection | { readonly badUrl: string } {
  const keys: string[] = [];
  const prefixes: string[] = [];
  for (const [urls, into] of [
    [request.urls, keys],
    [request.prefixes, prefixes],
  ] as const) {
    for (const url of urls) {
      const key = keyOfUrl(url);
      if (key === undefined) return { badUrl: url };
      into.push(key);
    }
  }
  return { keys, prefixes, tags: request.tags };
}
