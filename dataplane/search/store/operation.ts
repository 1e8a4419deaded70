import { z } from 'zod';
import { indexInfo, mappingsData } from './manifest.ts';

/**
 * What the log carries: effects that the primary has decided, so that applying needs no decision.
 * `nonce` names the client's request: it lets a write whose outcome was lost be asked for again.
 */
const header = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('index'),
    id: z.string(),
    version: z.number(),
    seqNo: z.number(),
    nonce: z.string(),
    result: z.enum(['created', 'updated']),
  }),
  z.object({ type: z.literal('delete'), id: z.string(), version: z.number(), seqNo: z.number(), nonce: z.string() }),
  z.object({ type: z.literal('create-index'), info: indexInfo, mappings: mappingsData }),
  z.object({ type: z.literal('drop-index') }),
  z.object({ type: z.literal('mappings'), mappings: mappingsData }),
]);
export type Operation = z.infer<typeof header>;

export interface DecodedOperation {
  readonly operation: Operation;
  /** The JSON text of `_source` of an `index` operation. */
  readonly source: Uint8Array;
}

const empty = new Uint8Array();

/** Length of the header (4 bytes), header as JSON, source. */
export function encodeOperation(operation: Operation, source: Uint8Array = empty): Uint8Array {
  const json = Buffer.from(JSON.stringify(operation));
  const encoded = Buffer.allocUnsafe(4 + json.length + source.length);
  encoded.writeUInt32LE(json.length, 0);
  json.copy(encoded, 4);
  encoded.set(source, 4 + json.length);
  return encoded;
}

/** Throws when the bytes are no operation: a log that holds such an entry was not written by us. */
export function decodeOperation(bytes: Uint8Array): DecodedOperation {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = buffer.readUInt32LE(0);
  const operation = header.parse(JSON.parse(buffer.toString('utf8', 4, 4 + length)));
  return { operation, source: buffer.subarray(4 + length) };
}
