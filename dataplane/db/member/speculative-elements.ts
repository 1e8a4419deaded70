import { OrderedMap } from '../store/ordered-map.ts';

/** Changed elements of one collection; null = removed. */
type Table = OrderedMap<Buffer | null>;

/** Elements that one operation changes. */
export type ChangedElements = ReadonlyMap<number, readonly string[]>;

/** What an element was before a change of the open operation; undefined: not changed by it. */
export interface ElementUndo {
  readonly generation: number;
  readonly name: string;
  readonly before: Buffer | null | undefined;
}

const tableOf = (tables: Map<number, Table>, generation: number): Table => {
  let table = tables.get(generation);
  if (!table) {
    table = new OrderedMap();
    tables.set(generation, table);
  }
  return table;
};

/**
 * Elements of collections that are changed and not committed: by the open operation, below it by those in flight.
 * Which operation a reply depends on is known from the collection's row: it changes whenever an element does.
 */
export class SpeculativeElements {
  readonly #open = new Map<number, Table>();
  readonly #flight = new Map<number, Table>();
  /** Newest operation in flight that changed an element. */
  readonly #owners = new Map<number, Map<string, number>>();

  /** Null: removed; undefined: look at the committed state. */
  get(generation: number, name: string): Buffer | null | undefined {
    const open = this.#open.get(generation)?.get(name);
    return open === undefined ? this.#flight.get(generation)?.get(name) : open;
  }

  /** Changes of a collection, the newest first. */
  changes(generation: number): (Table | undefined)[] {
    return [this.#open.get(generation), this.#flight.get(generation)];
  }

  set(generation: number, name: string, value: Buffer | null): ElementUndo {
    const table = tableOf(this.#open, generation);
    const before = table.get(name);
    table.set(name, value);
    return { generation, name, before };
  }

  undo({ generation, name, before }: ElementUndo): void {
    const table = tableOf(this.#open, generation);
    if (before === undefined) table.delete(name);
    else table.set(name, before);
  }

  /** The open operation is in flight from now on. */
  seal(operation: number): ChangedElements {
    const changed = new Map<number, string[]>();
    for (const [generation, table] of this.#open) {
      const flight = tableOf(this.#flight, generation);
      const owners = this.#owners.get(generation) ?? new Map<string, number>();
      this.#owners.set(generation, owners);
      for (const [name, value] of table) {
        flight.set(name, value);
        owners.set(name, operation);
      }
      changed.set(generation, [...table.keys()]);
    }
    this.#open.clear();
    return changed;
  }

  /** An operation is committed or failed: its elements no longer lie above the committed ones. */
  settle(changed: ChangedElements, operation: number): void {
    for (const [generation, names] of changed) {
      const [table, owners] = [this.#flight.get(generation), this.#owners.get(generation)];
      for (const name of names) {
        if (owners?.get(name) !== operation) continue;
        owners.delete(name);
        table?.delete(name);
      }
      if (owners?.size !== 0) continue;
      this.#owners.delete(generation);
      this.#flight.delete(generation);
    }
  }

  discardOpen(): void {
    this.#open.clear();
  }

  reset(): void {
    this.#open.clear();
    this.#flight.clear();
    this.#owners.clear();
  }
}
