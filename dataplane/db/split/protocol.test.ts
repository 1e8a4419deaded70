import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { keyOfText } from '../store/key-range.ts';
import {
  decodeSplitAnswer,
  decodeSplitRequest,
  encodeSplitAnswer,
  encodeSplitFailure,
  encodeSplitRequest,
  type SplitRequest,
} from './protocol.ts';
import { DbError } from '../db-error.ts';

const key = fc.string({ unit: 'grapheme', maxLength: 30 }).map(keyOfText);
const to = fc.constantFrom('app-1', 'x');
const epoch = fc.nat();
const request: fc.Arbitrary<SplitRequest> = fc.oneof(
  fc.record({ type: fc.constant('plan' as const), at: fc.option(key) }),
  fc.record({ type: fc.constant('keep' as const), to, after: fc.nat() }),
  fc.record({ type: fc.constant('hand-over' as const), at: key, to, epoch }),
  fc.record({ type: fc.constant('hand-over' as const), at: key, to, epoch, since: epoch }),
  fc.record({ type: fc.constant('plan-merge' as const) }),
  fc.record({ type: fc.constant('bar' as const), to, epoch, since: epoch }),
  fc.record({ type: fc.constant('release' as const), to, epoch }),
);

test('requests and answers arrive as they were sent, whatever characters keys have', () => {
  fc.assert(
    fc.property(request, key, key, epoch, (sent, start, end, epoch) => {
      expect(decodeSplitRequest(encodeSplitRequest(sent))).toEqual(sent);
      const plan = { at: start, epoch };
      for (const type of ['plan', 'plan-merge'] as const)
        expect(decodeSplitAnswer(type, encodeSplitAnswer(plan))).toEqual({ ok: true, ...plan });
      expect(decodeSplitAnswer('bar', encodeSplitAnswer({ handed: true }))).toEqual({ ok: true, handed: true });
      const given = { seq: epoch, range: { start, end, epoch, terms: 3, time: 1.5 } };
      expect(decodeSplitAnswer('hand-over', encodeSplitAnswer(given))).toEqual({ ok: true, ...given });
    }),
  );
});

test('on the wire keys are text', () => {
  expect(encodeSplitRequest({ type: 'plan', at: keyOfText('é') })).toBe('{"type":"plan","at":"é"}');
});

test.each([
  '',
  'null',
  '{}',
  '{"type":"other"}',
  '{"type":"plan"}',
  '{"type":"hand-over","at":"m","to":"","epoch":1}',
  '{"type":"release","to":"x","epoch":-1}',
])('a request that is none is refused: %s', (text) => {
  expect(() => decodeSplitRequest(text)).toThrow(/malformed/);
});

test('a refusal is thrown where it was asked for, with its reason', () => {
  const refusal = encodeSplitFailure(new DbError('ERR', 'not there'));
  expect(() => decodeSplitAnswer('plan', refusal)).toThrow(
    expect.objectContaining({ code: 'ERR', message: 'not there' }),
  );
  const passing = encodeSplitFailure(new Error('the log is away'));
  expect(() => decodeSplitAnswer('plan', passing)).toThrow(expect.objectContaining({ code: 'TRYAGAIN' }));
  expect(() => decodeSplitAnswer('plan', '{"ok":true}')).toThrow(/something else/);
  expect(() => decodeSplitAnswer('plan', 'x')).toThrow(/something else/);
});
