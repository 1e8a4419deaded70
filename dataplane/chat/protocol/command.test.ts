import { describe, expect, it } from 'vitest';
import { parseLine } from './command.ts';

const command = (id: number, method: string, request: object) => ({
  kind: 'command',
  command: { id, method, request },
});
const malformed = { kind: 'malformed', detail: expect.any(String) as string };
const invalid = (id: number, method: string) => ({ kind: 'invalid', id, method, detail: expect.any(String) as string });
const subscription = { recover: false, offset: 0, epoch: '', join_leave: false, flag: 0 };

const cases: readonly [name: string, line: string, expected: object][] = [
  ['a pong', '{}', { kind: 'pong' }],
  ['a pong with an empty id', '{"id":0}', { kind: 'pong' }],
  ['connect', '{"id":1,"connect":{"token":"t"}}', command(1, 'connect', { token: 't' })],
  ['connect with data', '{"id":1,"connect":{"data":{"user":"a"}}}', command(1, 'connect', { data: { user: 'a' } })],
  [
    'subscribe',
    '{"id":2,"subscribe":{"channel":"room:a"}}',
    command(2, 'subscribe', { channel: 'room:a', ...subscription }),
  ],
  [
    'subscribe with recovery',
    '{"id":2,"subscribe":{"channel":"room:a","recover":true,"offset":7,"epoch":"e","flag":1}}',
    command(2, 'subscribe', { ...subscription, channel: 'room:a', recover: true, offset: 7, epoch: 'e', flag: 1 }),
  ],
  [
    'publish',
    '{"id":3,"publish":{"channel":"c","data":{"a":1}}}',
    command(3, 'publish', { channel: 'c', data: { a: 1 } }),
  ],
  ['history', '{"id":4,"history":{"channel":"c"}}', command(4, 'history', { channel: 'c', limit: 0, reverse: false })],
  ['rpc', '{"id":5,"rpc":{"method":"m"}}', command(5, 'rpc', { method: 'm' })],
  ['send needs no id', '{"send":{"data":1}}', command(0, 'send', { data: 1 })],
  ['unknown fields are dropped', '{"id":6,"ping":{"x":1},"y":2}', command(6, 'ping', {})],
  [
    'the first request counts',
    '{"id":7,"unsubscribe":{"channel":"c"},"ping":{}}',
    command(7, 'unsubscribe', { channel: 'c' }),
  ],
  ['a null request is none', '{"id":8,"publish":null,"ping":{}}', command(8, 'ping', {})],
  ['not JSON', '{"id":1,', malformed],
  ['not an object', '[1]', malformed],
  ['null', 'null', malformed],
  ['a number', '7', malformed],
  ['a negative id', '{"id":-1,"ping":{}}', malformed],
  ['an id that is too large', '{"id":4294967296,"ping":{}}', malformed],
  ['an id that is no number', '{"id":"1","ping":{}}', malformed],
  ['a command without an id', '{"ping":{}}', malformed],
  ['nothing known is asked', '{"id":1,"dance":{}}', malformed],
  ['subscribe without a channel', '{"id":2,"subscribe":{}}', invalid(2, 'subscribe')],
  ['a channel that is too long', `{"id":2,"subscribe":{"channel":"${'x'.repeat(256)}"}}`, invalid(2, 'subscribe')],
  ['a request of the wrong type', '{"id":2,"subscribe":"room:a"}', invalid(2, 'subscribe')],
  ['a negative offset', '{"id":2,"subscribe":{"channel":"a","recover":true,"offset":-1}}', invalid(2, 'subscribe')],
  ['a history limit below -1', '{"id":2,"history":{"channel":"a","limit":-2}}', invalid(2, 'history')],
];

describe('a line of a frame', () => {
  it.each(cases)('%s', (_, line, expected) => {
    expect(parseLine(line)).toEqual(expected);
  });
});
