import type { RawFields } from '../policy/fields.ts';
import { endToEndFields } from '../policy/hop-by-hop.ts';
import type { Client } from './respond.ts';

/** Passes on 102 and 103 (RFC 9110 section 15.2, RFC 8297). HTTP/1.0 clients know no interim responses. */
export function sendInterim(client: Client, status: number, fields: RawFields): void {
  const { response } = client;
  if (response.headersSent || response.destroyed || response.req.httpVersion === '1.0') return;
  if (status === 102) response.writeProcessing();
  if (status !== 103) return;
  const hints: Record<string, string | string[]> = {};
  const kept = endToEndFields(fields);
  for (let i = 0; i + 1 < kept.length; i += 2) {
    const name = (kept[i] as string).toLowerCase();
    const value = kept[i + 1] as string;
    const before = hints[name];
    hints[name] = before === undefined ? value : [before, value].flat();
  }
  try {
    response.writeEarlyHints(hints as { link: string | string[] });
  } catch {
    // A Link that node takes for malformed: hints are optional, the response is not.
  }
}
