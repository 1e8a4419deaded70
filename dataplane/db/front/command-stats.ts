import { LatencyHistogram } from './latency-histogram.ts';

/** What is known about the calls of one command. */
export interface CommandFigures {
  /** Upper case. */
  readonly name: string;
  /** From reading the command until its reply is there, the wait for the log included. */
  readonly latency: LatencyHistogram;
  /** Refused before anything was done: its arguments, or the state of its connection. */
  rejected: number;
  /** Answered with an error. */
  failed: number;
}

/** Error codes that are told apart; ours are about twenty. */
const maxErrorCodes = 128;

const codeOf = (reply: Buffer): string => {
  const line = reply.toString('latin1', 1, 33);
  const end = line.search(/[^A-Z]/);
  return end < 0 ? line : line.slice(0, end);
};

/** Calls, errors and latencies by command at one front end, since it started or since CONFIG RESETSTAT. */
export class CommandStats {
  readonly #commands = new Map<string, CommandFigures>();
  readonly #errors = new Map<string, number>();
  #errorReplies = 0;

  /** Commands that were called, by name. */
  get commands(): readonly CommandFigures[] {
    return [...this.#commands.values()]
      .filter(({ latency, rejected }) => latency.count > 0 || rejected > 0)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Error replies by their code. */
  get errors(): ReadonlyMap<string, number> {
    return this.#errors;
  }

  get errorReplies(): number {
    return this.#errorReplies;
  }

  /** The figures of a command, to be changed. Only names of commands that there are: they are never forgotten. */
  of(name: string): CommandFigures {
    let figures = this.#commands.get(name);
    if (!figures) {
      figures = { name, latency: new LatencyHistogram(), rejected: 0, failed: 0 };
      this.#commands.set(name, figures);
    }
    return figures;
  }

  /** A command is answered. `figures`: null when there is no such command. */
  answered(figures: CommandFigures | null, reply: Buffer, micros: number): void {
    figures?.latency.note(micros);
    if (reply[0] !== 45) return;
    if (figures) figures.failed++;
    this.countError(reply);
  }

  countError(reply: Buffer): void {
    this.#errorReplies++;
    const code = codeOf(reply);
    if (this.#errors.size < maxErrorCodes || this.#errors.has(code)) {
      this.#errors.set(code, (this.#errors.get(code) ?? 0) + 1);
    }
  }

  reset(): void {
    for (const figures of this.#commands.values()) {
      figures.latency.reset();
      figures.rejected = figures.failed = 0;
    }
    this.#errors.clear();
    this.#errorReplies = 0;
  }
}
