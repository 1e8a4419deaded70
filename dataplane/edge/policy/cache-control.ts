import { splitList } from './fields.ts';

/** Directives by lower-case name; true for one without an argument. The first of several equal names wins. */
export type Directives = ReadonlyMap<string, string | true>;

/** Largest number of seconds that is told apart (RFC 9111 section 1.2.2). */
export const maxDeltaSeconds = 2_147_483_648;

const directivePattern = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+)(?:=(.*))?$/s;

function unquote(argument: string): string {
  if (argument.length < 2 || !argument.startsWith('"') || !argument.endsWith('"')) return argument;
  return argument.slice(1, -1).replace(/\\(.)/g, '$1');
}

/**
 * Parses a Cache-Control value (RFC 9111 section 5.2). Members that are no directives are skipped.
 * An argument may come as a token or as a quoted string, whichever the directive's definition says.
 */
export function parseCacheControl(value: string | undefined): Directives {
  const directives = new Map<string, string | true>();
  if (value === undefined) return directives;
  for (const member of splitList(value)) {
    const match = directivePattern.exec(member);
    const name = match?.[1]?.toLowerCase();
    // RFC 9111 section 4.2.1: of several values of one directive the first is used.
    if (name === undefined || directives.has(name)) continue;
    directives.set(name, match?.[2] === undefined ? true : unquote(match[2]));
  }
  return directives;
}

/** delta-seconds (RFC 9111 section 1.2.2): digits only, values too large become the largest. Undefined when invalid. */
export function parseDeltaSeconds(text: string): number | undefined {
  return /^\d+$/.test(text) ? Math.min(Number(text), maxDeltaSeconds) : undefined;
}

/**
 * The seconds of a directive: undefined when it is absent. One that is present but not a number counts as 0:
 * invalid freshness information is taken as stale (RFC 9111 section 4.2.1).
 */
export function secondsOf(directives: Directives, name: string): number | undefined {
  const argument = directives.get(name);
  if (argument === undefined) return undefined;
  return argument === true ? 0 : (parseDeltaSeconds(argument) ?? 0);
}
