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

  readonly #below: Mappings | null;

  constructor(data: MappingsData, analyzer: AnalyzerName, below: Mappings | null = null) {
    this.#below = below;
    this.dynamic = data.dynamic;
    this.analyzer = analyzer;
    for (const field of data.fields) this.#put(field);
  }

  get(path: string): FieldMapping | undefined {
    return this.#fields.get(path) ?? this.#below?.get(path);
  }

  *all(): Generator<FieldMapping> {
    if (this.#below !== null) yield* this.#below.all();
    yield* this.#fields.values();
  }

  get size(): number {
    return this.#fields.size + (this.#below?.size ?? 0);
  }

  /** Sub-fields that index the values of `path`. */
  subFields(path: string): readonly FieldMapping[] {
    return this.#subFields.get(path) ?? this.#below?.subFields(path) ?? [];
  }

  isObject(path: string): boolean {
    return this.#objects.has(path) || this.#below?.isObject(path) === true;
  }

  analyzerOf(field: FieldMapping): AnalyzerName {
    return field.analyzer ?? this.analyzer;
  }

  /** Adds fields; equal ones are accepted. Throws bad-request, and adds none, when one would change. */
  add(fields: readonly FieldMapping[]): void {
    const fresh: FieldMapping[] = [];
    for (const field of fields) if (this.#isNew(field)) fresh.push(field);
    if (this.size + fresh.length > maxFields) {
      throw badRequest('illegal_argument_exception', `Limit of total fields [${maxFields}] has been exceeded`);
    }
    for (const field of fresh) this.#put(field);
  }

  #isNew(field: FieldMapping): boolean {
    const known = this.get(field.path);
    if (known === undefined) {
      if (!this.isObject(field.path) || field.of !== undefined) return true;
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
    return { dynamic: this.dynamic, fields: [...this.all()] };
  }

  /** These mappings, and room for more that do not change them. */
  overlay(): Mappings {
    return new Mappings({ dynamic: this.dynamic, fields: [] }, this.analyzer, this);
  }

  clone(): Mappings {
    return new Mappings(this.data(), this.analyzer);
  }
}
