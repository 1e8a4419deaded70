/** One row of the resource's policy table. */
export interface ContentPolicy {
  /** 'image', 'video', 'html', 'css', 'javascript', 'other'. */
  readonly contentType: string;
  readonly ttlSeconds: number;
  readonly maxObjectBytes: number;
  /** 1..10. */
  readonly priority: number;
}

const mebibyte = 1024 * 1024;

/** The table of the requirements, section 1. */
export const defaultPolicies: readonly ContentPolicy[] = [
  { contentType: 'image', ttlSeconds: 24 * 3600, maxObjectBytes: 10 * mebibyte, priority: 8 },
  { contentType: 'video', ttlSeconds: 7 * 24 * 3600, maxObjectBytes: 100 * mebibyte, priority: 9 },
  { contentType: 'html', ttlSeconds: 3600, maxObjectBytes: mebibyte, priority: 6 },
  { contentType: 'css', ttlSeconds: 24 * 3600, maxObjectBytes: 100 * 1024, priority: 7 },
  { contentType: 'javascript', ttlSeconds: 24 * 3600, maxObjectBytes: 500 * 1024, priority: 7 },
  { contentType: 'other', ttlSeconds: 3600, maxObjectBytes: mebibyte, priority: 5 },
];

const fallback: ContentPolicy = { contentType: 'other', ttlSeconds: 0, maxObjectBytes: mebibyte, priority: 5 };

/** The class of a media type in the policy table. */
export function contentClass(mediaType: string | undefined): string {
  const type = mediaType?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (type.startsWith('image/')) return 'image';
  if (type.startsWith('video/')) return 'video';
  if (type === 'text/html' || type === 'application/xhtml+xml') return 'html';
  if (type === 'text/css') return 'css';
  return /^(?:text|application)\/(?:x-)?(?:java|ecma)script$/.test(type) ? 'javascript' : 'other';
}

const extensionClasses: ReadonlyMap<string, string> = new Map(
  Object.entries({
    image: ['png', 'jpg', 'jpeg', 'gif', 'webp', 'avif', 'svg', 'ico'],
    video: ['mp4', 'webm', 'm4v', 'mov', 'ts', 'm4s'],
    html: ['html', 'htm', ''],
    css: ['css'],
    javascript: ['js', 'mjs'],
  }).flatMap(([name, extensions]) => extensions.map((extension) => [extension, name] as const)),
);

/** A guess at the class from a path, for decisions before there is a response. */
export function contentClassOfPath(path: string): string {
  const file = path.split(/[?#]/, 1)[0]?.split('/').at(-1) ?? '';
  const dot = file.lastIndexOf('.');
  const extension = dot < 0 ? '' : file.slice(dot + 1).toLowerCase();
  return extensionClasses.get(extension) ?? 'other';
}

/** The row for a class; the row 'other', else a cautious default, when there is none. */
export const policyFor = (policies: readonly ContentPolicy[], name: string): ContentPolicy =>
  policies.find((policy) => policy.contentType === name) ??
  policies.find((policy) => policy.contentType === 'other') ??
  fallback;
