/** What /readyz answers. */
export interface Readiness {
  readonly ready: boolean;
  readonly checks: Readonly<Record<string, { ok: boolean; detail: string }>>;
}

/**
 * Named readiness checks of a pod. A pod is ready when every check that was ever set is ok.
 * Liveness is not decided here: a process that answers is alive, whatever it waits for, because restarting
 * it would not bring NATS back.
 */
export class Health {
  readonly #checks = new Map<string, { ok: boolean; detail: string }>();

  /** Sets a check; `detail` is for the person who reads /readyz. */
  set(name: string, ok: boolean, detail = ''): void {
    this.#checks.set(name, { ok, detail });
  }

  /** The present state of all checks. */
  readiness(): Readiness {
    const checks = Object.fromEntries(this.#checks);
    return { ready: [...this.#checks.values()].every((check) => check.ok), checks };
  }
}
