import { fieldNames, fieldValue, type RawFields, withoutFields } from '../policy/fields.ts';
import { endToEndFields } from '../policy/hop-by-hop.ts';
import type { EdgeRequest } from './edge-request.ts';

export interface ForwardOptions {
  /** This edge's name in Via. */
  readonly via: string;
  readonly clientAddress: string | undefined;
  /** Lower-case names that stay behind. */
  readonly without: ReadonlySet<string>;
  /** Fields added, such as validators. */
  readonly extra: readonly string[];
}

/** Fields that this hop writes itself. `expect` was answered by this server already (RFC 9110 section 10.1.1). */
const rewritten = ['host', 'via', 'x-forwarded-for', 'expect'];

/** The fields of a request on its way to the origin: end-to-end, with Via (RFC 9110 section 7.6.3) and the client. */
export function forwardFields(request: EdgeRequest, options: ForwardOptions): string[] {
  const { fields } = request;
  const dropped = new Set([...rewritten, ...options.without]);
  if (!request.hasBody) dropped.add('content-length');
  const via = fieldValue(fields, 'via');
  const forwardedFor = fieldValue(fields, 'x-forwarded-for');
  const kept = ['Host', request.host, ...withoutFields(endToEndFields(fields), dropped), ...options.extra];
  kept.push('Via', via === undefined ? `1.1 ${options.via}` : `${via}, 1.1 ${options.via}`);
  const address = options.clientAddress;
  const chain = [forwardedFor, address].filter((part) => part !== undefined).join(', ');
  if (chain !== '') kept.push('X-Forwarded-For', chain);
  return kept;
}

/** Did the request pass this edge before? Then an origin points back at it, and it would run in circles. */
export const isLoop = (fields: RawFields, via: string): boolean =>
  fieldNames(fields).has('via') &&
  (fieldValue(fields, 'via') ?? '').split(',').some((hop) => hop.trim().endsWith(` ${via}`));
