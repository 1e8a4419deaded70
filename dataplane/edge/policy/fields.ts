/**
 * Header fields as they came over the wire: name, value, name, value, … in order, in the sender's spelling.
 * This is the shape of `IncomingMessage.rawHeaders` and of `ServerResponse.writeHead`, so nothing is converted on the way.
 */
export type RawFields = readonly string[];

/** Compares a field name to one in lower case. */
const named = (raw: string, name: string): boolean => raw.length === name.length && raw.toLowerCase() === name;

/** All lines of a field, in order. `name` is in lower case. */
export function fieldLines(fields: RawFields, name: string): string[] {
  const lines: string[] = [];
  for (let i = 0; i + 1 < fields.length; i += 2) {
    if (named(fields[i] as string, name)) lines.push(fields[i + 1] as string);
  }
  return lines;
}

/** The first line of a field: for fields that hold one value and must not be a list. */
export function firstLine(fields: RawFields, name: string): string | undefined {
  for (let i = 0; i + 1 < fields.length; i += 2) {
    if (named(fields[i] as string, name)) return fields[i + 1];
  }
  return undefined;
}

/** The value of a field, its lines combined with a comma (RFC 9110 section 5.3). */
export function fieldValue(fields: RawFields, name: string): string | undefined {
  const lines = fieldLines(fields, name);
  return lines.length === 0 ? undefined : lines.join(', ');
}

/** The fields without those whose lower-case names are in `names`. */
export function withoutFields(fields: RawFields, names: ReadonlySet<string>): string[] {
  const kept: string[] = [];
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i] as string;
    if (!names.has(name.toLowerCase())) kept.push(name, fields[i + 1] as string);
  }
  return kept;
}

/** The lower-case names of all fields present. */
export function fieldNames(fields: RawFields): Set<string> {
  const names = new Set<string>();
  for (let i = 0; i + 1 < fields.length; i += 2) names.add((fields[i] as string).toLowerCase());
  return names;
}

/** The fields with every line of `name` replaced by one line with `value`, at the end. */
export const withField = (fields: RawFields, name: string, value: string): string[] => [
  ...withoutFields(fields, new Set([name.toLowerCase()])),
  name,
  value,
];

/** Splits a comma-separated list (RFC 9110 section 5.6.1), minding quoted strings; empty members are dropped. */
export function splitList(value: string): string[] {
  if (!value.includes('"')) {
    return value
      .split(',')
      .map((member) => member.trim())
      .filter((member) => member !== '');
  }
  const members: string[] = [];
  let start = 0;
  let quoted = false;
  for (let i = 0; i <= value.length; i++) {
    const c = value[i];
    if (quoted && c === '\\') i++;
    else if (c === '"') quoted = !quoted;
    else if (c === undefined || (c === ',' && !quoted)) {
      const member = value.slice(start, i).trim();
      if (member !== '') members.push(member);
      start = i + 1;
    }
  }
  return members;
}
