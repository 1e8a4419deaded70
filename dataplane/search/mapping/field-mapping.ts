import type { AnalyzerName } from '../analysis/analyzer.ts';

/** Field types, by their OpenSearch names. */
export const fieldTypes = [
  'text',
  'keyword',
  'long',
  'integer',
  'short',
  'byte',
  'double',
  'float',
  'boolean',
  'date',
] as const;
export type FieldType = (typeof fieldTypes)[number];

/** How one field is indexed. */
export interface FieldMapping {
  /** Name with dots: `author.name`, `title.keyword`. */
  readonly path: string;
  readonly type: FieldType;
  /** Text only; the index's default when absent. */
  readonly analyzer?: AnalyzerName;
  /** Keywords only: longer values are not indexed. */
  readonly ignoreAbove?: number;
  /** False: stored in `_source`, not searchable. */
  readonly index?: false;
  /** Set for a sub-field (`fields` of a mapping): the field whose values it indexes. */
  readonly of?: string;
}

/** What the dynamic mapping gives a string: text, and a keyword of its first 256 characters. */
export const dynamicIgnoreAbove = 256;

/** Smallest and largest value of the integer types. */
export const integerBounds: Partial<Record<FieldType, readonly [number, number]>> = {
  long: [-(2 ** 63), 2 ** 63],
  integer: [-(2 ** 31), 2 ** 31 - 1],
  short: [-(2 ** 15), 2 ** 15 - 1],
  byte: [-128, 127],
};

/** The kind of segment field that holds values of a type. */
export function fieldKindOf(type: FieldType): 'text' | 'keyword' | 'number' {
  return type === 'text' || type === 'keyword' ? type : 'number';
}
