import { expect, test } from 'vitest';
import { startDeadline } from './deadline.ts';
import { fakeClock } from './fake-clock.ts';

const codeOf = (signal: AbortSignal): unknown => (signal.aborted ? signal.reason.code : 'none');

test('a deadline fires at its time, not before, and says what was waited for', async () => {
  const clock = fakeClock();
  const { signal, left } = startDeadline('list pods', 200, undefined, clock);
  await clock.advance(199);
  expect([codeOf(signal), left()]).toEqual(['none', 1]);
  await clock.advance(1);
  expect([codeOf(signal), left()]).toEqual(['timeout', 0]);
  expect(signal.reason.message).toBe('list pods: no answer within 200 ms');
});

test.each([0, -5])('with %d ms left it has fired when it returns', (ms) => {
  const clock = fakeClock();
  const { signal, left } = startDeadline('list pods', ms, undefined, clock);
  expect([codeOf(signal), left(), clock.pending]).toEqual(['timeout', 0, 0]);
});

test('it fires with its parent, before or after the start', () => {
  const [clock, parent] = [fakeClock(), new AbortController()];
  const before = startDeadline('list pods', 200, parent.signal, clock);
  parent.abort('stopped');
  const after = startDeadline('list pods', 200, parent.signal, clock);
  expect([codeOf(before.signal), codeOf(after.signal)]).toEqual(['aborted', 'aborted']);
  expect(before.signal.reason.cause).toBe('stopped');
});

test('released, it fires no more and leaves no timer', async () => {
  const [clock, parent] = [fakeClock(), new AbortController()];
  const deadline = startDeadline('list pods', 200, parent.signal, clock);
  deadline.release();
  parent.abort();
  await clock.advance(500);
  expect([codeOf(deadline.signal), clock.pending]).toEqual(['none', 0]);
});
