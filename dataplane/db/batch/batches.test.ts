import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { AnswerBuilder, answerStatus, decodeAnswers, sequenceOf } from './answer-batch.ts';
import { decodeRequests, decodeWatched, encodeRequests, encodeTransaction, epochOf } from './request-batch.ts';

const u32 = fc.nat({ max: 2 ** 32 - 1 });
const bytes = fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array));
const key = fc.uint8Array({ maxLength: 20 }).map((array) => Buffer.from(array).toString('latin1'));

test('a batch of requests is read as it was written', () => {
  const request = fc.record({ id: u32, kind: fc.nat({ max: 3 }), payload: bytes });
  fc.assert(
    fc.property(u32, fc.array(request), (epoch, requests) => {
      const batch = encodeRequests(epoch, requests);
      expect(epochOf(batch)).toBe(epoch);
      expect([...decodeRequests(batch)]).toEqual(requests);
    }),
  );
});

test('a batch that is cut short is refused, not misread', () => {
  const batch = encodeRequests(1, [{ id: 1, kind: 0, payload: Buffer.from('abc') }]);
  expect(() => [...decodeRequests(batch.subarray(0, batch.length - 1))]).toThrow(RangeError);
});

test('a transaction keeps its watched keys and its commands', () => {
  const watched = fc.array(fc.record({ key, version: fc.nat() }));
  fc.assert(
    fc.property(watched, fc.array(bytes), (keys, commands) => {
      const payload = encodeTransaction(keys, commands);
      const decoded = decodeWatched(payload);
      expect(decoded.watched).toEqual(keys);
      expect(payload.subarray(decoded.commandsAt)).toEqual(Buffer.concat(commands));
    }),
  );
});

test('answers are read as they were written, with their sequence', () => {
  const builder = new AnswerBuilder();
  builder.reply(7, true, Buffer.from('+OK\r\n'));
  builder.add(8, answerStatus.refused, Buffer.from('why'));
  const [message, ...others] = builder.messages(42);
  expect(others).toEqual([]);
  expect(sequenceOf(message!)).toBe(42);
  expect([...decodeAnswers(message!)]).toEqual([
    { id: 7, status: answerStatus.reply, bytes: Buffer.from('+OK\r\n') },
    { id: 8, status: answerStatus.refused, bytes: Buffer.from('why') },
  ]);
});

test('a large reply goes in parts, so that no message comes near the limit of NATS', () => {
  const large = Buffer.alloc(5_000_000, 'abc');
  const builder = new AnswerBuilder();
  builder.reply(1, false, large);
  const messages = builder.messages(1);
  expect(Math.max(...messages.map((message) => message.length))).toBeLessThan(2_200_000);
  const answers = messages.flatMap((message) => [...decodeAnswers(message)]);
  expect(answers.map(({ status }) => status)).toEqual([
    ...answers.slice(1).map(() => answerStatus.part),
    answerStatus.reply,
  ]);
  expect(Buffer.concat(answers.map((answer) => answer.bytes)).equals(large)).toBe(true);
});
