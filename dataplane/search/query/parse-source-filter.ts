import { z } from 'zod';

const patterns = z.union([z.string().transform((one) => [one]), z.array(z.string()).max(1000)]);

/** `_source` of a request. */
export const sourceJson = z.union([
  z.boolean(),
  patterns,
  z.strictObject({
    includes: patterns.optional(),
    include: patterns.optional(),
    excludes: patterns.optional(),
    exclude: patterns.optional(),
  }),
]);

/** Which parts of `_source` are shown. `*` in a pattern stands for anything. */
export interface SourceFilter {
  readonly show: boolean;
  /** Empty: all. */
  readonly includes: readonly string[];
  readonly excludes: readonly string[];
}

export const wholeSource: SourceFilter = { show: true, includes: [], excludes: [] };

export function parseSourceFilter(json: z.output<typeof sourceJson> | undefined): SourceFilter {
  if (json === undefined) return wholeSource;
  if (typeof json === 'boolean') return { ...wholeSource, show: json };
  if (Array.isArray(json)) return { ...wholeSource, includes: json };
  return { show: true, includes: json.includes ?? json.include ?? [], excludes: json.excludes ?? json.exclude ?? [] };
}
