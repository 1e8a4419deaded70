import { describe, expect, it, test } from 'vitest';
import { judgeServers, type ServerReport, type WatchedServer } from './nats-servers.ts';

const good: ServerReport = {
  version: '2.15.2',
  jetstream: true,
  max_payload: 8 * 1024 * 1024,
  syncAlways: true,
  syncInterval: 120e9,
};
const lax = { ...good, syncAlways: false };
const server = (name: string, report: ServerReport | null, misses = 0): WatchedServer => ({
  url: `http://${name}:8222`,
  report,
  misses,
});

test.each([
  ['no monitor is known', [], 'unverified'],
  ['all sync', [server('a', good), server('b', good)], 'always'],
  ['one was not heard yet', [server('a', good), server('b', null, 1)], 'unasked'],
  ['one restarts', [server('a', good), server('b', good, 2)], 'always'],
  ['one is silent', [server('a', good), server('b', good, 3)], 'unverified'],
  ['one never answered', [server('a', good), server('b', null, 3)], 'unverified'],
  ['one is lax, which counts more than silence', [server('a', null, 9), server('b', lax)], 'lax'],
  ['the lax one is silent now', [server('a', good), server('b', lax, 9)], 'lax'],
] as const)('%s', (_, servers, state) => {
  expect(judgeServers(servers).durability.state).toBe(state);
});

describe('a problem', () => {
  it('names the lax server, with what to do', () => {
    expect(judgeServers([server('a', good), server('b', lax)]).durability).toEqual({
      state: 'lax',
      problem:
        'nats-server at b:8222 writes to disk every 120 s only: a power cut can lose acknowledged writes; set "sync_interval: always" in its jetstream block',
    });
  });

  it('names the silent monitor, with what to do', () => {
    expect(judgeServers([server('b', null, 3)]).durability).toMatchObject({
      reason: 'MonitorSilent',
      problem: expect.stringMatching(/^the monitor http:\/\/b:8222 does not answer.*let the operator reach that port$/),
    });
  });

  it('names the server that is not fit, though another one is', () => {
    const small = { ...good, max_payload: 1024 };
    expect(judgeServers([server('a', good), server('b', small)]).unfit).toMatch(
      /^nats-server at b:8222: max_payload is 1024: set it to 8388608/,
    );
    expect(judgeServers([server('a', good)]).unfit).toBeNull();
  });
});
