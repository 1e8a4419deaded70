import type { AnalyzerName } from '../analysis/analyzer.ts';
import { badRequest } from '../search-error.ts';
import type { FieldMapping } from './field-mapping.ts';

/** What happens to fields that no mapping names: mapped by their first value, left out of the index, or refused. */
export type Dynamic = 'true' | 'false' | 'strict';

/** Most fields of an index. */
export const maxFields = 1000;

/** Plain data, as it is stored in the manifest and in log operations. */
export interface MappingsData {
  readonly dynamic: Dynamic;
  readonly fields: readonly FieldMapping[];
}

export const noMappings: MappingsData = { dynamic: 'true', fields: [] };

/** The fields of an index. Grows only: a field never changes its type. */
export class Mappings {
  dynamic: Dynamic;
  /** Analyzer of text fields that name none. */
  readonly analyzer: AnalyzerName;
  readonly #fields = new Map<string, FieldMapping>();
  readonly #subFields = new Map<string, FieldMapping[]>();
  readonly #objects = new Set<string>();

  constructor(data: MappingsData, analyzer: AnalyzerName) {
    this.dynamic = data.dynamic;
    this.analyzer = analyzer;
    for (const field of data.fields) this.#put(field);
  }

  get(path: string): FieldMapping | undefined {
    return this.#fields.get(path);
  }

  all(): IterableIterator<FieldMapping> {
    return this.#fields.values();
  }

  /** Sub-fields that index the values of `path`. */
  subFields(path: string): readonly FieldMapping[] {
    return this.#subFields.get(path) ?? [];
  }

  isObject(path: string): boolean {
    return this.#objects.has(path);
  }

  analyzerOf(field: FieldMapping): AnalyzerName {
    return field.analyzer ?? this.analyzer;
  }

  /** Adds fields; equal ones are accepted. Throws bad-request, and adds none, when one would change. */
  add(fields: readonly FieldMapping[]): void {
    const fresh: FieldMapping[] = [];
    for (const field of fields) if (this.#isNew(field)) fresh.push(field);
    if (this.#fields.size + fresh.length > maxFields) {
      throw badRequest('illegal_argument_exception', `Limit of total fields [${maxFields}] has been exceeded`);
    }
    for (const field of fresh) this.#put(field);
  }

  #isNew(field: FieldMapping): boolean {
    const known = this.#fields.get(field.path);
    if (known === undefined) {
      if (!this.#objects.has(field.path) || field.of !== undefined) return true;
      throw badRequest('illegal_argument_exception', `can't merge a non object mapping [${field.path}] with an object`);
    }
    if (known.type !== field.type) {
      throw badRequest(
        'illegal_argument_exception',
        `mapper [${field.path}] cannot be changed from type [${known.type}] to [${field.type}]`,
      );
    }
    if (this.analyzerOf(known) !== this.analyzerOf(field) || known.index !== field.index) {
      throw badRequest('illegal_argument_exception', `Mapper for [${field.path}] conflicts with existing mapper`);
    }
    return false;
  }

  #put(field: FieldMapping): void {
    this.#fields.set(field.path, field);
    const parts = field.path.split('.');
    const depth = field.of === undefined ? parts.length : parts.length - 1;
    for (let end = 1; end < depth; end++) this.#objects.add(parts.slice(0, end).join('.'));
    if (field.of === undefined) return;
    this.#subFields.set(field.of, [...this.subFields(field.of), field]);
  }

  data(): MappingsData {
    return { dynamic: this.dynamic, fields: [...this.#fields.values()] };
  }

  clone(): Mappings {
    return new Mappings(this.data(), this.analyzer);
  }
}
