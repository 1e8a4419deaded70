import type { ContentPolicy } from '../policy/content-policy.ts';

export interface OriginRule {
  /** Host names that this origin answers; `*` = any other. */
  readonly hosts: readonly string[];
  /** http://host:port, without a path. */
  readonly url: string;
}

/** What one edge does: the part of an EdgeNode that its data plane needs. */
export interface EdgeConfig {
  /** Names the edge in Cache-Status and Via. */
  readonly name: string;
  /** Names this process in X-Quartet-Edge. */
  readonly id: string;
  readonly memoryBytes: number;
  /** Give responses on which the origin is silent the TTL of the policy table. */
  readonly defaultTtl: boolean;
  readonly policies: readonly ContentPolicy[];
  readonly origins: readonly OriginRule[];
  /** How long a stale response may stand in for an unreachable origin that did not say. */
  readonly errorGraceSeconds: number;
}

/** One day: long enough for an outage, short enough that nobody reads last month's news. */
export const defaultErrorGraceSeconds = 24 * 3600;

/** The origin for a Host: an exact name (with or without port), else `*.` suffixes, else `*`. */
export function originFor(origins: readonly OriginRule[], host: string): string | undefined {
  const name = host.toLowerCase();
  const bare = name.replace(/:\d+$/, '');
  const matches = (test: (pattern: string) => boolean): string | undefined =>
    origins.find((origin) => origin.hosts.some((pattern) => test(pattern.toLowerCase())))?.url;
  return (
    matches((pattern) => pattern === name || pattern === bare) ??
    matches((pattern) => pattern.startsWith('*.') && bare.endsWith(pattern.slice(1))) ??
    matches((pattern) => pattern === '*')
  );
}
