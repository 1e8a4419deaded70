import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeReply, ReplyError, type Reply } from './reply.ts';
import { encodeReply, type Protocol, type ReplyWriter } from './reply-writer.ts';

const write = (writer: ReplyWriter, reply: Reply): void => {
  if (reply === null) writer.nil();
  else if (reply instanceof ReplyError) writer.error(reply.message);
  else if (Buffer.isBuffer(reply)) writer.bulk(reply);
  else if (Array.isArray(reply)) {
    writer.array(reply.length);
    for (const item of reply as Reply[]) write(writer, item);
  } else if (typeof reply === 'string') writer.simple(reply);
  else writer.integer(reply as number | bigint);
};

const { reply } = fc.letrec<{ reply: Reply }>((tie) => ({
  reply: fc.oneof(
    { maxDepth: 4 },
    fc.constant(null),
    fc.maxSafeInteger(),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n }),
    fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes)),
    fc.constantFrom('OK', 'QUEUED'),
    fc.constantFrom('ERR no', 'UNKNOWN it').map((line) => new ReplyError(line)),
    fc.array(tie('reply'), { maxLength: 4 }),
  ),
}));

test('replies are read as they were written, in both protocols', () => {
  fc.assert(
    fc.property(reply, fc.constantFrom<Protocol>(2, 3), (value, protocol) => {
      const bytes = encodeReply(protocol, (writer) => write(writer, value));
      expect(decodeReply(bytes)).toEqual({ reply: value, next: bytes.length });
    }),
  );
});

test('a reply that is cut anywhere asks for more', () => {
  const bytes = encodeReply(3, (writer) => write(writer, [Buffer.from('abc'), 5, null, ['OK']]));
  for (let length = 0; length < bytes.length; length++) expect(decodeReply(bytes.subarray(0, length))).toBeNull();
});

test('maps are pairs in RESP3 and flat in RESP2', () => {
  const map = (writer: ReplyWriter): void => {
    writer.map(1);
    writer.bulk('a');
    writer.integer(1);
  };
  expect(encodeReply(3, map).toString()).toBe('%1\r\n$1\r\na\r\n:1\r\n');
  expect(encodeReply(2, map).toString()).toBe('*2\r\n$1\r\na\r\n:1\r\n');
  expect(decodeReply(encodeReply(3, map))?.reply).toEqual({ pairs: [[Buffer.from('a'), 1]] });
});

test('what is not a reply is refused, nesting without end too', () => {
  expect(() => decodeReply(Buffer.from('?\r\n'))).toThrow(RangeError);
  expect(() => decodeReply(Buffer.from('*1\r\n'.repeat(100)))).toThrow(RangeError);
});
