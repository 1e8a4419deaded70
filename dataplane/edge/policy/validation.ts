import { isStrong, stronglyEqual, weaklyEqual } from './entity-tag.ts';
import { fieldNames, firstLine, type RawFields, withoutFields } from './fields.ts';
import { endToEndFields } from './hop-by-hop.ts';
import type { StoredResponse } from './stored-response.ts';

/** Conditional fields that validate a stored response (RFC 9111 section 4.3.1); empty when it has no validator. */
export function validators(stored: StoredResponse): string[] {
  const fields: string[] = [];
  if (stored.etag !== undefined) fields.push('If-None-Match', stored.etag);
  if (stored.lastModified !== undefined) fields.push('If-Modified-Since', stored.lastModified);
  return fields;
}

/**
 * Does a 304 speak of this stored response (RFC 9111 section 4.3.4)? A strong validator in it must be the stored one.
 * Without any validator it does: only one response was asked about.
 */
export function isAbout(notModified: RawFields, stored: StoredResponse): boolean {
  const etag = firstLine(notModified, 'etag');
  if (etag !== undefined && isStrong(etag)) return stored.etag !== undefined && stronglyEqual(etag, stored.etag);
  if (etag !== undefined) return stored.etag !== undefined && weaklyEqual(etag, stored.etag);
  const modified = firstLine(notModified, 'last-modified');
  return modified === undefined || stored.lastModified === undefined || modified === stored.lastModified;
}

/** Fields that describe the stored bytes, which a header update does not change (RFC 9111 section 3.2). */
const boundToBody = new Set(['content-length', 'content-encoding', 'content-range', 'transfer-encoding']);

/**
 * The stored fields updated from a newer response to the same target (RFC 9111 section 3.2): each field that it carries
 * replaces the stored one, except those that describe the stored bytes.
 */
export function updatedFields(stored: RawFields, newer: RawFields): string[] {
  const updates = withoutFields(endToEndFields(newer), boundToBody);
  const replaced = fieldNames(updates);
  // The age is that of the newer response.
  replaced.add('age');
  return [...withoutFields(stored, replaced), ...updates];
}

/**
 * Does a 200 to HEAD confirm the stored response (RFC 9111 section 4.3.5)? Validators and length, where it carries
 * them, must be the stored ones.
 */
export function headConfirms(head: RawFields, stored: StoredResponse): boolean {
  const pairs: readonly (readonly [string, string | undefined])[] = [
    ['etag', stored.etag],
    ['last-modified', stored.lastModified],
    ['content-length', firstLine(stored.fields, 'content-length')],
  ];
  return pairs.every(([name, value]) => {
    const line = firstLine(head, name);
    return line === undefined || line === value;
  });
}
