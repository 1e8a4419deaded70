import { z } from 'zod';

/**
 * Whether an acknowledged message is on disk. Only the monitoring endpoint of nats-server tells (`/jsz`, field
 * `config.sync_always`; server/monitor.go): JetStream's own API does not, and a client cannot see it otherwise.
 * - unverified: no endpoint is known, or none answers
 * - lax: `problem` says which server, and what to do
 */
export type Durability =
  { readonly state: 'unverified' } | { readonly state: 'always' } | { readonly state: 'lax'; readonly problem: string };

const answer = z.object({
  server_id: z.string(),
  config: z.object({ sync_always: z.boolean().default(false), sync_interval: z.number().default(0) }),
});

/** What one server says of its disk. */
export type SyncFacts = z.infer<typeof answer>;

const deadlineMs = 3000;

/** Judges the answers of all servers; null stands for one that did not answer. */
export const judgeDurability = (
  servers: readonly { readonly url: string; readonly facts: SyncFacts | null }[],
): Durability => {
  const lax = servers.find(({ facts }) => facts?.config.sync_always === false);
  if (lax?.facts) {
    const seconds = Math.round(lax.facts.config.sync_interval / 1e9);
    const problem = `nats-server at ${new URL(lax.url).host} writes to disk every ${seconds} s only: a power cut can lose acknowledged writes; set "sync_interval: always" in its jetstream block`;
    return { state: 'lax', problem };
  }
  const isKnown = servers.length > 0 && servers.every(({ facts }) => facts !== null);
  return isKnown ? { state: 'always' } : { state: 'unverified' };
};

const ask = async (url: string): Promise<SyncFacts | null> => {
  try {
    const response = await fetch(new URL('/jsz', url), { signal: AbortSignal.timeout(deadlineMs) });
    return answer.parse(await response.json());
  } catch {
    return null;
  }
};

/** Asks the monitoring endpoints (`http://host:8222`) of all servers. Never rejects; takes 3 s at most. */
export const readDurability = async (urls: readonly string[]): Promise<Durability> =>
  judgeDurability(await Promise.all(urls.map(async (url) => ({ url, facts: await ask(url) }))));
