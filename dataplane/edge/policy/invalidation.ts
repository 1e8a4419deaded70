import { firstLine, type RawFields } from './fields.ts';
import { cacheKey } from './stored-response.ts';

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** Methods that change nothing (RFC 9110 section 9.2.1). An unknown method is not one of them. */
export const isSafe = (method: string): boolean => safeMethods.has(method);

/** The key of a URI in a response when it has the target's origin (RFC 9111 section 4.4), else undefined. */
export function sameOriginKey(reference: string, host: string, target: string): string | undefined {
  const base = URL.parse(`http://${host}${target}`);
  const url = base === null ? null : URL.parse(reference, base.href);
  if (base === null || url === null || url.host !== base.host) return undefined;
  return cacheKey(host, `${url.pathname}${url.search}`);
}

/**
 * Keys whose stored responses are invalid after this response to an unsafe request (RFC 9111 section 4.4): the target,
 * and Location and Content-Location of the same origin. Errors invalidate nothing.
 */
export function invalidatedKeys(
  request: { readonly method: string; readonly host: string; readonly target: string },
  response: { readonly status: number; readonly fields: RawFields },
): string[] {
  if (isSafe(request.method) || response.status < 200 || response.status >= 400) return [];
  const keys = new Set([cacheKey(request.host, request.target)]);
  for (const name of ['location', 'content-location']) {
    const reference = firstLine(response.fields, name);
    const key = reference === undefined ? undefined : sameOriginKey(reference, request.host, request.target);
    if (key !== undefined) keys.add(key);
  }
  return [...keys];
}
