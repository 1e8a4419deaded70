import { fieldLines, type RawFields, splitList, withoutFields } from './fields.ts';

/** Fields about one connection (RFC 9110 section 7.6.1), and those that older software uses as such. */
const connectionFields = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
];
/** Fields between a client and a proxy (RFC 9111 section 3.1): this cache asks for no authentication. */
const proxyFields = ['proxy-authenticate', 'proxy-authentication-info', 'proxy-authorization'];

const always: ReadonlySet<string> = new Set([...connectionFields, ...proxyFields]);

/** The fields that go on to the next hop: without connection fields and those that Connection names. */
export function endToEndFields(fields: RawFields): string[] {
  const lines = fieldLines(fields, 'connection');
  if (lines.length === 0) return withoutFields(fields, always);
  const dropped = new Set(always);
  for (const name of splitList(lines.join(','))) dropped.add(name.toLowerCase());
  // A peer cannot talk us out of fields that frame or address the message.
  dropped.delete('content-length');
  dropped.delete('host');
  dropped.delete('cache-control');
  return withoutFields(fields, dropped);
}
