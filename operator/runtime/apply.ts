import { createHash } from 'node:crypto';
import type { KubeObject } from './object.ts';
import { controllerReference } from './owner.ts';

/** Holds the hash of what was last applied: a field that is no longer desired shows as a different hash. */
export const DESIRED_HASH = 'quartet.dev/desired-hash';

type Json = unknown;
type JsonObject = Readonly<Record<string, Json>>;

/** What to send for a desired object: with its controller reference and its hash, without undefined. */
export function prepare<T extends KubeObject>(desired: T, owner: KubeObject | undefined): T {
  const metadata = {
    ...desired.metadata,
    ...(owner !== undefined && { ownerReferences: [controllerReference(owner)] }),
  };
  const plain = JSON.parse(JSON.stringify({ ...desired, metadata })) as T;
  const annotations = { ...plain.metadata.annotations, [DESIRED_HASH]: hashOf(plain) };
  return { ...plain, metadata: { ...plain.metadata, annotations } };
}

/** The same for equal JSON, whatever the order of keys. */
export function hashOf(value: Json): string {
  return createHash('sha256').update(canonical(value)).digest('base64url').slice(0, 16);
}

/** JSON with sorted keys and without undefined members. */
export function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item ?? null)).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value ?? null);
  const members = Object.keys(value)
    .filter((key) => value[key] !== undefined)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`);
  return `{${members.join(',')}}`;
}

/**
 * True when `live` already has all that `desired` says. The server adds
 * defaults and other managers add fields: those do not count. Empty objects
 * and lists equal absent ones, since the server drops them.
 */
export function covers(live: Json, desired: Json): boolean {
  if (desired === undefined) return true;
  if (Array.isArray(desired)) return coversList(live, desired);
  if (!isObject(desired)) return live === desired || (desired === null && live === undefined);
  if (!isObject(live)) return Object.values(desired).every((member) => covers(undefined, member));
  return Object.keys(desired).every((key) => covers(live[key], desired[key]));
}

/**
 * The part of `live` that `desired` speaks of. It tells whether the server's
 * own form of a value ("1000m" kept as "1") is still what it made of it.
 */
export function project(live: Json, desired: Json): Json {
  if (Array.isArray(desired) && Array.isArray(live)) {
    return desired.map((item, index) => project(counterpart(live, item, index), item));
  }
  if (!isObject(desired) || !isObject(live)) return live;
  return Object.fromEntries(Object.keys(desired).map((key) => [key, project(live[key], desired[key])]));
}

function coversList(live: Json, desired: readonly Json[]): boolean {
  if (desired.length === 0) return live === undefined || (Array.isArray(live) && live.length === 0);
  if (!Array.isArray(live) || live.length < desired.length) return false;
  if (live.length > desired.length && !desired.every(isNamed)) return false;
  return desired.every((item, index) => covers(counterpart(live, item, index), item));
}

/** Lists of named things (containers, ports, volumes) may have gained members: found by name. Others go by place. */
function counterpart(live: readonly Json[], item: Json, index: number): Json {
  if (!isNamed(item)) return live[index];
  return live.find((other) => isNamed(other) && other['name'] === item['name']);
}

function isNamed(value: Json): value is JsonObject & { name: string } {
  return isObject(value) && typeof value['name'] === 'string';
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
