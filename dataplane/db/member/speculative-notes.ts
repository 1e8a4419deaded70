interface Pending {
  readonly value: Buffer | null;
  readonly operation: number;
}

/** Notes as a primary sees them: the committed ones, above them those in flight, on top those of the open operation. */
export class SpeculativeNotes {
  /** Operation that the last {@link get} depends on; 0 = it is committed. */
  dependsOn = 0;
  readonly #committed: { readonly notes: ReadonlyMap<string, Buffer> };
  readonly #open = new Map<string, Buffer | null>();
  readonly #flight = new Map<string, Pending>();

  constructor(committed: { readonly notes: ReadonlyMap<string, Buffer> }) {
    this.#committed = committed;
  }

  /** `open`: number of the open operation. */
  get(name: string, open: number): Buffer | undefined {
    const changed = this.#open.get(name);
    if (changed !== undefined) {
      this.dependsOn = open;
      return changed ?? undefined;
    }
    const pending = this.#flight.get(name);
    this.dependsOn = pending?.operation ?? 0;
    return pending ? (pending.value ?? undefined) : this.#committed.notes.get(name);
  }

  set(name: string, value: Buffer | null): void {
    this.#open.set(name, value);
  }

  /** All notes, as they are if everything in flight succeeds. */
  *all(): Iterable<[string, Buffer]> {
    for (const name of new Set([...this.#committed.notes.keys(), ...this.#flight.keys(), ...this.#open.keys()])) {
      const value = this.get(name, 0);
      if (value) yield [name, value];
    }
  }

  /** The open operation is in flight from now on. Answers the names that it changes. */
  seal(operation: number): readonly string[] {
    for (const [name, value] of this.#open) this.#flight.set(name, { value, operation });
    const names = [...this.#open.keys()];
    this.#open.clear();
    return names;
  }

  discard(): void {
    this.#open.clear();
  }

  settle(names: readonly string[], operation: number): void {
    for (const name of names) if (this.#flight.get(name)?.operation === operation) this.#flight.delete(name);
  }

  reset(): void {
    this.#open.clear();
    this.#flight.clear();
  }
}
