import { canonical, covers, DESIRED_HASH, hashOf, project } from './apply.ts';
import type { KubeObject } from './object.ts';

/**
 * Remembers, for objects whose desired values the server keeps in another form,
 * what it made of them, so that those are not applied again and again. After a
 * restart such an object is applied once more, which changes nothing on the server.
 */
export class AppliedMemory {
  readonly #limit: number;
  /** Object -> what was desired and what the server answered, as hashes. Oldest first. */
  readonly #answers = new Map<string, string>();

  constructor(limit: number = 20_000) {
    this.#limit = limit;
  }

  /** True when `live` needs no apply of `wanted` (as made by `prepare`). */
  isSettled(id: string, live: KubeObject, wanted: KubeObject): boolean {
    const hash = wanted.metadata.annotations?.[DESIRED_HASH];
    if (hash === undefined || live.metadata.annotations?.[DESIRED_HASH] !== hash) return false;
    return covers(live, wanted) || this.#answers.get(id) === answerOf(hash, project(live, wanted));
  }

  /** Notes the server's answer to an apply. */
  note(id: string, live: KubeObject, wanted: KubeObject): void {
    this.#answers.delete(id);
    if (covers(live, wanted)) return;
    this.#keep(id, answerOf(wanted.metadata.annotations?.[DESIRED_HASH] ?? '', project(live, wanted)));
  }

  /** True when `live`, a status, is `wanted` or what the server made of it. */
  isSettledStatus(id: string, live: unknown, wanted: unknown): boolean {
    const text = canonical(wanted);
    return canonical(live ?? {}) === text || this.#answers.get(id) === answerOf(text, live);
  }

  /** Notes the server's answer to a status patch. */
  noteStatus(id: string, live: unknown, wanted: unknown): void {
    const text = canonical(wanted);
    this.#answers.delete(id);
    if (canonical(live ?? {}) !== text) this.#keep(id, answerOf(text, live));
  }

  #keep(id: string, answer: string): void {
    this.#answers.set(id, answer);
    if (this.#answers.size <= this.#limit) return;
    for (const oldest of this.#answers.keys()) {
      this.#answers.delete(oldest);
      return;
    }
  }
}

function answerOf(desired: string, live: unknown): string {
  return hashOf([desired, live]);
}
