import { describe, expect, it } from 'vitest';
import { clientReconnects, disconnects, unsubscribes } from './disconnect.ts';
import { replyErrors } from './reply-error.ts';
import { channelOf, roomOf } from './channel.ts';

describe('disconnect codes', () => {
  it('send clients back to a gateway exactly when that can help', () => {
    const comeBack = Object.values(disconnects).filter(({ code }) => clientReconnects(code));
    expect(comeBack.map(({ reason }) => reason)).toEqual([
      'shutdown',
      'internal server error',
      'connection expired',
      'slow',
      'insufficient state',
      'no pong',
      'too many requests',
    ]);
  });

  it('are unique and their reasons fit a close frame', () => {
    const all = Object.values(disconnects);
    expect(new Set(all.map(({ code }) => code)).size).toBe(all.length);
    for (const { reason } of all) expect(Buffer.byteLength(reason)).toBeLessThan(123);
  });

  it('let clients subscribe again only from 2500 on', () => {
    expect(unsubscribes.byServer.code).toBeLessThan(2500);
    expect(unsubscribes.insufficientState.code).toBeGreaterThanOrEqual(2500);
  });
});

describe('reply errors', () => {
  it('use codes below 400 for what Centrifugo defines and codes from 400 to 1999 for our own', () => {
    const codes = Object.values(replyErrors).map(({ code }) => code);
    expect(new Set(codes).size).toBe(codes.length);
    for (const code of codes) expect((code >= 100 && code <= 112) || (code >= 400 && code <= 1999)).toBe(true);
  });
});

describe('a channel', () => {
  it.each([
    ['room:lobby', 'lobby'],
    ['room:a-1', 'a-1'],
    ['room:', null],
    ['room:A', null],
    ['room:a.b', null],
    ['room:a*', null],
    ['room:>', null],
    ['lobby', null],
    ['news:lobby', null],
    [`room:${'a'.repeat(41)}`, null],
  ])('%s names the room %s', (channel, room) => {
    expect(roomOf(channel)).toBe(room);
    if (room !== null) expect(channelOf(room)).toBe(channel);
  });
});
