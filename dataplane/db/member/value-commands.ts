import { oneKey, type KeyCommand } from '../commands/command.ts';
import type { View } from '../commands/view.ts';
import { DbError } from '../db-error.ts';
import { maxRequestBytes } from '../limits.ts';
import type { Element } from '../store/reading.ts';
import { generationOf, type Row } from '../store/row.ts';

/**
 * The members' parts of RENAME across shards, and of restoring: a value with its type, its expiry and its elements as bytes.
 *
 *     u8 type  f64 expireAt  u32 length  row value   then per element: u16 length  name  u32 length  value
 */
export const encodeElement = ({ name, value }: Element): Buffer => {
  const bytes = Buffer.allocUnsafe(6 + name.length + value.length);
  let at = bytes.writeUInt16BE(name.length, 0);
  at += bytes.write(name, at, 'latin1');
  value.copy(bytes, bytes.writeUInt32BE(value.length, at));
  return bytes;
};

/** What comes before the elements. */
export const encodeValue = ({ type, value, expireAt }: Row): Buffer => {
  const head = Buffer.allocUnsafe(13);
  head[0] = type;
  head.writeUInt32BE(value.length, head.writeDoubleBE(expireAt, 1));
  return Buffer.concat([head, value]);
};

const dump = (view: View, row: Row): Buffer => {
  const parts: Buffer[] = [encodeValue(row)];
  let size = 13 + row.value.length;
  const generation = generationOf(row);
  for (const element of generation === 0 ? [] : view.elements(generation, {})) {
    const bytes = encodeElement(element);
    size += bytes.length;
    if (size > maxRequestBytes)
      throw new DbError('ERR', `a value over ${maxRequestBytes} bytes cannot move to another shard`);
    parts.push(bytes);
  }
  return Buffer.concat(parts);
};

const loadElements = (view: View, generation: number, bytes: Buffer): void => {
  for (let at = 0; at < bytes.length;) {
    const valueAt = at + 2 + bytes.readUInt16BE(at);
    const end = valueAt + 4 + bytes.readUInt32BE(valueAt);
    view.setElement(generation, bytes.toString('latin1', at + 2, valueAt), bytes.subarray(valueAt + 4, end));
    at = end;
  }
};

const load = (view: View, key: string, bytes: Buffer): void => {
  const type = bytes.readUInt8(0);
  const elementsAt = 13 + bytes.readUInt32BE(9);
  const value = Buffer.from(bytes.subarray(13, elementsAt));
  if (generationOf({ type, value, expireAt: 0, version: 0 }) !== 0) {
    const generation = view.newGeneration();
    value.writeDoubleBE(generation, 0);
    loadElements(view, generation, bytes.subarray(elementsAt));
  }
  view.put(key, value, bytes.readDoubleBE(1), type);
};

const described = { keys: oneKey, group: 'generic', across: 'refuse', kind: 'keys' } as const;

export const valueCommands: readonly KeyCommand[] = [
  {
    ...described,
    name: 'QDUMP',
    arity: 2,
    flags: ['readonly'],
    summary: 'A value as bytes.',
    evaluate(view, frame, reply) {
      const row = view.get(frame.key(1));
      if (row) reply.bulk(dump(view, row));
      else reply.nil();
    },
  },
  {
    ...described,
    name: 'QLOAD',
    arity: 3,
    flags: ['write', 'denyoom'],
    summary: 'Sets a value from the bytes of QDUMP.',
    evaluate(view, frame, reply) {
      load(view, frame.key(1), frame.argument(2));
      reply.ok();
    },
  },
];
