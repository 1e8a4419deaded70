import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';

/** A file of the site, in memory, with what its answers say. */
export interface Page {
  readonly body: Buffer;
  readonly contentType: string;
  /** Undefined: the site says nothing, and the cache's own policy decides. */
  readonly cacheControl: string | undefined;
  readonly etag: string;
  readonly lastModified: string;
  readonly tags: string;
}

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.txt': 'text/plain; charset=utf-8',
};

/** By extension: pages are looked at again soon, images stay; CSS says nothing on purpose. */
const cacheControls: Readonly<Record<string, string>> = {
  '.html': 'public, max-age=60, stale-while-revalidate=300, stale-if-error=86400',
  '.js': 'public, max-age=86400',
  '.svg': 'public, max-age=604800, immutable',
  '.txt': 'public, max-age=3600',
};

const urlOf = (path: string): string => `/${path.split(sep).join('/')}`.replace(/index\.html$/, '');

/** Reads a directory of content: URL path -> page. */
export async function loadContent(directory: string): Promise<Map<string, Page>> {
  const pages = new Map<string, Page>();
  for (const file of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    const path = join(file.parentPath, file.name);
    const body = await readFile(path);
    const extension = extname(path);
    const url = urlOf(relative(directory, path));
    pages.set(url, {
      body,
      contentType: contentTypes[extension] ?? 'application/octet-stream',
      cacheControl: cacheControls[extension],
      etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 16)}"`,
      lastModified: (await stat(path)).mtime.toUTCString(),
      tags: ['site', url.split('/')[1] === 'images' ? 'images' : 'pages'].join(','),
    });
  }
  return pages;
}
