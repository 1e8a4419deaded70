import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { readRequest } from './edge-request.ts';
import { forwardFields, isLoop } from './forward-fields.ts';

const read = (rawHeaders: string[]) => {
  const request = readRequest(
    Object.assign(new IncomingMessage(new Socket()), { url: '/', method: 'GET', rawHeaders }),
  );
  if ('refused' in request) throw new Error(request.refused);
  return request;
};

describe('fields on their way to the origin', () => {
  const options = {
    via: 'edge',
    clientAddress: '192.0.2.1',
    without: new Set(['range']),
    extra: ['If-None-Match', '"1"'],
  };

  it('name this hop and the client, and leave out what was said', () => {
    const request = read([
      'Host',
      'a',
      'Range',
      'bytes=0-1',
      'X',
      '1',
      'Via',
      '1.1 b',
      'X-Forwarded-For',
      '198.51.100.1',
    ]);
    const kept = ['Host', 'a', 'X', '1', 'If-None-Match', '"1"'];
    const own = ['Via', '1.1 b, 1.1 edge', 'X-Forwarded-For', '198.51.100.1, 192.0.2.1'];
    expect(forwardFields(request, options)).toEqual([...kept, ...own]);
  });

  it.each([
    [['Via', '1.1 a, 1.1 edge'], true],
    [['Via', '1.1 edge-2'], false],
    [[], false],
  ])('%j passed here before: %s', (fields, expected) => {
    expect(isLoop(fields, 'edge')).toBe(expected);
  });
});
