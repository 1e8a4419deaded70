import type { Logger } from 'pino';
import { z } from 'zod';
import { judgeServers, type ServerReport, type ServersView, type WatchedServer } from './nats-servers.ts';

/**
 * The part of `GET /varz` that matters (nats-server, server/monitor.go). Only the monitor tells whether a server writes
 * to disk before it acknowledges: JetStream's own API does not.
 */
const answer = z
  .object({
    version: z.string(),
    max_payload: z.number(),
    jetstream: z
      .object({
        config: z.object({ sync_always: z.boolean().default(false), sync_interval: z.number().default(0) }).optional(),
      })
      .optional(),
  })
  .transform(({ version, max_payload, jetstream }): ServerReport => ({
    version,
    max_payload,
    jetstream: jetstream?.config !== undefined,
    syncAlways: jetstream?.config?.sync_always ?? false,
    syncInterval: jetstream?.config?.sync_interval ?? 0,
  }));

const deadlineMs = 3_000;

/** Servers may be restarted with another configuration at any time. */
const calmMs = 60_000;
/** While something is wrong, or silent. */
const alertMs = 5_000;

const ask = async (url: string): Promise<ServerReport | null> => {
  try {
    const response = await fetch(new URL('/varz', url), { signal: AbortSignal.timeout(deadlineMs) });
    return answer.parse(await response.json());
  } catch {
    return null;
  }
};

/** Asks each monitor (`http://host:8222`) once. Never rejects; takes 3 s at most. */
export const readServers = (urls: readonly string[]): Promise<WatchedServer[]> =>
  Promise.all(
    urls.map(async (url) => {
      const report = await ask(url);
      return { url, report, misses: report === null ? 1 : 0 };
    }),
  );

/** Keeps asking the monitors of all servers: every minute while all is well, every five seconds otherwise. */
export class NatsMonitors {
  readonly #onChange: () => void;
  readonly #log: Logger;
  #servers: readonly WatchedServer[];
  #view: ServersView;
  #timer: NodeJS.Timeout | undefined;
  #asking: Promise<void> | null = null;
  #stopped = false;

  constructor(urls: readonly string[], log: Logger, onChange: () => void) {
    this.#servers = urls.map((url) => ({ url, report: null, misses: 0 }));
    this.#view = judgeServers(this.#servers);
    this.#log = log;
    this.#onChange = onChange;
  }

  get view(): ServersView {
    return this.#view;
  }

  /** Asks now, and goes on asking. Never rejects. */
  check(): Promise<void> {
    if (this.#servers.length === 0 || this.#stopped) return Promise.resolve();
    this.#asking ??= this.#round().finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #round(): Promise<void> {
    clearTimeout(this.#timer);
    const before = this.#servers;
    const found = await readServers(before.map(({ url }) => url));
    this.#servers = found.map(({ url, report }, i) => ({
      url,
      report: report ?? before[i]?.report ?? null,
      misses: report === null ? (before[i]?.misses ?? 0) + 1 : 0,
    }));
    this.#judge();
    if (this.#stopped) return;
    const isCalm = this.#view.durability.state === 'always' && this.#view.unfit === null;
    const pauseMs = isCalm && this.#servers.every(({ misses }) => misses === 0) ? calmMs : alertMs;
    this.#timer = setTimeout(() => void this.check(), pauseMs * (0.9 + Math.random() / 5)).unref();
  }

  #judge(): void {
    const view = judgeServers(this.#servers);
    if (JSON.stringify(view) === JSON.stringify(this.#view)) return;
    this.#view = view;
    this.#log.info(view, 'what the monitors of NATS say');
    this.#onChange();
  }
}
