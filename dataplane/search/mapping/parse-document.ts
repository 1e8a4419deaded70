import { badRequest } from '../search-error.ts';
import { dynamicIgnoreAbove, type FieldMapping, type FieldType } from './field-mapping.ts';
import { looksLikeDate, numericValue, stringValue } from './field-values.ts';
import type { Mappings } from './mappings.ts';

/** Objects within objects of a document. */
const deepestDocument = 50;
/** Longest keyword, in UTF-8 bytes. */
const maxKeywordBytes = 32_766;

/** The values of one mapped field: strings for text and keywords, numbers for the rest. */
export interface ParsedField {
  readonly field: FieldMapping;
  readonly values: readonly (string | number)[];
}

export interface ParsedDocument {
  readonly fields: readonly ParsedField[];
  /** Fields that the document added to the mappings. */
  readonly added: readonly FieldMapping[];
}

/**
 * - strict: a value that does not fit its field refuses the document. For the primary, before anything is logged.
 * - lenient: such a value is left out. For applying, which must not fail.
 */
export type Strictness = 'strict' | 'lenient';

const refused = (reason: string): Error => badRequest('mapper_parsing_exception', reason);

function dynamicType(value: unknown): FieldType | null {
  if (typeof value === 'boolean') return 'boolean';
  if (typeof value === 'number') return Number.isInteger(value) ? 'long' : 'float';
  if (typeof value !== 'string') return null;
  return looksLikeDate(value) ? 'date' : 'text';
}

function dynamicFields(path: string, type: FieldType): FieldMapping[] {
  if (type !== 'text') return [{ path, type }];
  return [
    { path, type },
    { path: `${path}.keyword`, type: 'keyword', ignoreAbove: dynamicIgnoreAbove, of: path },
  ];
}

/** Collects the values of a document by field; adds dynamic fields to the mappings as it meets them. */
class DocumentParser {
  readonly #mappings: Mappings;
  readonly #strict: boolean;
  readonly #values = new Map<FieldMapping, (string | number)[]>();
  readonly added: FieldMapping[] = [];

  constructor(mappings: Mappings, strictness: Strictness) {
    this.#mappings = mappings;
    this.#strict = strictness === 'strict';
  }

  object(value: Record<string, unknown>, prefix: string, depth: number): void {
    if (depth > deepestDocument) {
      if (this.#strict) throw refused(`The depth of the field has exceeded the allowed limit of [${deepestDocument}]`);
      return;
    }
    for (const [name, child] of Object.entries(value)) {
      if (name.trim() === '' || name === '__proto__') {
        if (this.#strict) throw refused(`field name [${name}] is not valid`);
        continue;
      }
      this.#value(child, prefix === '' ? name : `${prefix}.${name}`, depth);
    }
  }

  #value(value: unknown, path: string, depth: number): void {
    if (value === null || value === undefined) return;
    if (Array.isArray(value)) {
      this.#array(value, path, depth);
      return;
    }
    if (typeof value === 'object') {
      const field = this.#mappings.get(path);
      if (field === undefined) this.object(value as Record<string, unknown>, path, depth + 1);
      else this.#misfit(field, value);
      return;
    }
    const field = this.#mappings.get(path) ?? this.#addDynamic(path, value);
    if (field !== undefined) this.#leaf(field, value);
  }

  #array(values: readonly unknown[], path: string, depth: number): void {
    if (depth <= deepestDocument) {
      for (const value of values) this.#value(value, path, depth + 1);
    } else if (this.#strict) {
      throw refused(`The depth of [${path}] has exceeded the allowed limit of [${deepestDocument}]`);
    }
  }

  #addDynamic(path: string, value: unknown): FieldMapping | undefined {
    const { dynamic } = this.#mappings;
    if (dynamic === 'false') return undefined;
    if (dynamic === 'strict') {
      if (this.#strict) {
        throw badRequest(
          'strict_dynamic_mapping_exception',
          `mapping set to strict, dynamic introduction of [${path}] within [_doc] is not allowed`,
        );
      }
      return undefined;
    }
    if (this.#mappings.isObject(path)) {
      if (this.#strict)
        throw refused(
          `object mapping for [${path}] tried to parse field [${path}] as object, but found a concrete value`,
        );
      return undefined;
    }
    const type = dynamicType(value);
    return type === null ? undefined : this.#add(dynamicFields(path, type));
  }

  #add(fields: FieldMapping[]): FieldMapping | undefined {
    try {
      this.#mappings.add(fields);
    } catch (error) {
      if (this.#strict) throw error;
      return undefined;
    }
    this.added.push(...fields);
    return fields[0];
  }

  #leaf(field: FieldMapping, value: unknown): void {
    this.#index(field, value);
    for (const subField of this.#mappings.subFields(field.path)) this.#index(subField, value);
  }

  #index(field: FieldMapping, value: unknown): void {
    const isString = field.type === 'text' || field.type === 'keyword';
    const parsed = isString ? stringValue(value) : numericValue(field.type, value);
    if (parsed === null) {
      if (field.of === undefined) this.#misfit(field, value);
      return;
    }
    if (field.index === false) return;
    if (field.type === 'keyword' && !this.#fits(field, String(parsed))) return;
    const values = this.#values.get(field);
    if (values === undefined) this.#values.set(field, [parsed]);
    else values.push(parsed);
  }

  #fits(field: FieldMapping, value: string): boolean {
    if (value.length > (field.ignoreAbove ?? Number.POSITIVE_INFINITY)) return false;
    if (value.length * 3 <= maxKeywordBytes || Buffer.byteLength(value) <= maxKeywordBytes) return true;
    if (this.#strict) {
      throw badRequest(
        'illegal_argument_exception',
        `Document contains at least one immense term in field="${field.path}" (whose UTF8 encoding is longer than the max length ${maxKeywordBytes})`,
      );
    }
    return false;
  }

  #misfit(field: FieldMapping, value: unknown): void {
    if (!this.#strict) return;
    const preview = (JSON.stringify(value) ?? '').slice(0, 60);
    throw refused(
      `failed to parse field [${field.path}] of type [${field.type}]. Preview of field's value: '${preview}'`,
    );
  }

  finish(): ParsedDocument {
    const fields = [...this.#values].map(([field, values]) => ({ field, values }));
    return { fields, added: this.added };
  }
}

/** Reads a document by the mappings, to which its new fields are added. Throws bad-request when strict. */
export function parseDocument(source: unknown, mappings: Mappings, strictness: Strictness): ParsedDocument {
  const parser = new DocumentParser(mappings, strictness);
  if (typeof source !== 'object' || source === null || Array.isArray(source)) {
    if (strictness === 'strict') throw refused('failed to parse: the document must be an object');
    return parser.finish();
  }
  parser.object(source as Record<string, unknown>, '', 1);
  return parser.finish();
}
