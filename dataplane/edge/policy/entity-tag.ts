/** Splits a list of entity tags; tags may hold commas, so a plain split would not do. */
const tagPattern = /\s*((?:W\/)?"[^"]*"|[^,\s][^,]*)\s*(?:,|$)/y;

/** Entity tags of an If-None-Match or If-Match value. What is no tag is kept as it is and matches only itself. */
export function parseEntityTags(value: string): string[] {
  const tags: string[] = [];
  tagPattern.lastIndex = 0;
  while (tagPattern.lastIndex < value.length) {
    const match = tagPattern.exec(value);
    if (!match) break;
    tags.push((match[1] ?? '').trim());
  }
  return tags;
}

export const isStrong = (tag: string | undefined): tag is string => tag !== undefined && tag.startsWith('"');

const opaque = (tag: string): string => (tag.startsWith('W/') ? tag.slice(2) : tag);

/** Weak comparison (RFC 9110 section 8.8.3.2). */
export const weaklyEqual = (a: string, b: string): boolean => opaque(a) === opaque(b);

/** Strong comparison (RFC 9110 section 8.8.3.2). */
export const stronglyEqual = (a: string, b: string): boolean => a === b && isStrong(a);
