import { z } from 'zod';
import { ReplyError, type Reply } from '../resp/reply.ts';

/** Keys and values are text, or bytes as `{"base64": "…"}`. */
export const bytesInJson = z.union([z.string(), z.object({ base64: z.base64() })]);
export type BytesInJson = z.infer<typeof bytesInJson>;

export type JsonReply = null | boolean | number | string | { base64: string } | { error: string } | JsonReply[];

export const bytesOf = (value: BytesInJson | number): Buffer =>
  typeof value === 'object' ? Buffer.from(value.base64, 'base64') : Buffer.from(String(value));

/** A key as the database compares it: one character a byte. */
export const keyOf = (value: BytesInJson): string => bytesOf(value).toString('latin1');

/** Text where the bytes are UTF-8. */
export const jsonOfBytes = (bytes: Buffer): string | { base64: string } => {
  const text = bytes.toString('utf8');
  return Buffer.from(text).equals(bytes) ? text : { base64: bytes.toString('base64') };
};

export const jsonOf = (reply: Reply): JsonReply => {
  if (reply instanceof ReplyError) return { error: reply.message };
  if (Buffer.isBuffer(reply)) return jsonOfBytes(reply);
  if (Array.isArray(reply)) return (reply as Reply[]).map(jsonOf);
  return typeof reply === 'bigint' ? String(reply) : (reply as JsonReply);
};
