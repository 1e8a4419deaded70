import { describe, expect, it } from 'vitest';
import type { ChatRoomEntry } from '../../../contract/directory.ts';
import { makeMessage, maxContentLength } from './message.ts';
import { moderate } from './moderation.ts';

const room = (settings: Partial<ChatRoomEntry> = {}): ChatRoomEntry => ({
  kind: 'chat',
  namespace: 'test',
  name: 'lobby',
  displayName: 'Lobby',
  type: 'public',
  maxMembers: 10,
  retention: { maxAgeSeconds: 60, maxMessages: 10 },
  fileUpload: false,
  moderation: 'off',
  closing: false,
  ...settings,
});
const sender = { user: 'ann', trusted: false, now: 1_000 };

describe('a message', () => {
  it('gets an id, its user, a type and the time', () => {
    expect(makeMessage({ content: 'hello' }, room(), sender)).toEqual({
      ok: true,
      message: { id: expect.any(String) as string, user: 'ann', content: 'hello', type: 'text', timestamp: 1_000 },
    });
  });

  it('keeps the id and the metadata that the client chose', () => {
    const data = { content: 'x', id: 'my-id:1', metadata: { replyTo: 'other' } };
    expect(makeMessage(data, room(), sender)).toMatchObject({
      ok: true,
      message: { id: 'my-id:1', metadata: { replyTo: 'other' } },
    });
  });

  const refused: readonly [name: string, data: unknown, code: number, settings?: Partial<ChatRoomEntry>][] = [
    ['no object', 'hello', 107],
    ['nothing', undefined, 107],
    ['no content', {}, 107],
    ['empty content', { content: '' }, 107],
    ['blank content', { content: ' \n ' }, 107],
    ['content that is no text', { content: 7 }, 107],
    ['content that is too long', { content: 'x'.repeat(maxContentLength + 1) }, 107],
    ['an unknown field', { content: 'x', user: 'eve' }, 107],
    ['an unknown type', { content: 'x', type: 'video' }, 107],
    ['metadata that is no object', { content: 'x', metadata: [1] }, 107],
    ['too much metadata', { content: 'x', metadata: { a: 'x'.repeat(9_000) } }, 107],
    [
      'too many metadata keys',
      { content: 'x', metadata: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [i, 1])) },
      107,
    ],
    ['an id with a space', { content: 'x', id: 'a b' }, 107],
    ['an id that is too long', { content: 'x', id: 'x'.repeat(65) }, 107],
    ['a system message of a client', { content: 'x', type: 'system' }, 103],
    ['a file where files are off', { content: 'x', type: 'file' }, 1002],
    ['profanity where it is rejected', { content: 'fuck this' }, 1001, { moderation: 'reject' }],
  ];
  it.each(refused)('is refused for %s', (_, data, code, settings = {}) => {
    expect(makeMessage(data, room(settings), sender)).toMatchObject({ ok: false, error: { code } });
  });

  it('may have 10,000 characters, be a file where files are on, and be of the system when a server sends it', () => {
    expect(makeMessage({ content: 'x'.repeat(10_000) }, room(), sender).ok).toBe(true);
    expect(makeMessage({ content: 'a.pdf', type: 'file' }, room({ fileUpload: true }), sender).ok).toBe(true);
    expect(makeMessage({ content: 'x', type: 'system' }, room(), { ...sender, trusted: true }).ok).toBe(true);
  });
});

describe('moderation', () => {
  it.each([
    ['off', { rejected: false, flagged: false, content: 'oh shit' }],
    ['flag', { rejected: false, flagged: true, content: 'oh shit' }],
    ['mask', { rejected: false, flagged: true, content: 'oh ****' }],
    ['reject', { rejected: true, flagged: true, content: 'oh shit' }],
  ] as const)('at level %s judges profanity', (level, verdict) => {
    expect(moderate('oh shit', level)).toEqual(verdict);
  });

  it.each(['flag', 'mask', 'reject'] as const)('at level %s lets plain text pass', (level) => {
    expect(moderate('the assignment of the class', level)).toEqual({
      rejected: false,
      flagged: false,
      content: 'the assignment of the class',
    });
  });
});
