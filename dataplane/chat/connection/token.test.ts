import { SignJWT, UnsecuredJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { developmentIdentity, Tokens } from './token.ts';

const secret = 'a secret of some length';
const sign = (claims: Record<string, unknown>, options: { key?: string; algorithm?: string } = {}): Promise<string> =>
  new SignJWT(claims)
    .setProtectedHeader({ alg: options.algorithm ?? 'HS256' })
    .sign(
      new TextEncoder().encode(
        (options.key ?? secret)
          .padEnd(64, 'x')
          .slice(0, options.algorithm === undefined ? (options.key ?? secret).length : 64),
      ),
    );
const now = Math.floor(Date.now() / 1000);

describe('a connection token', () => {
  it('names the user, its end, its channels and a profile', async () => {
    const token = await sign({
      sub: 'ann',
      exp: now + 60,
      channels: ['room:a'],
      info: { username: 'Ann', email: 'ann@example.org' },
    });
    expect(await new Tokens(secret).connection(token)).toEqual({
      ok: true,
      value: { user: 'ann', username: 'Ann', email: 'ann@example.org', channels: ['room:a'], expiresAt: now + 60 },
    });
  });

  const refused: readonly [name: string, token: () => Promise<string> | string, why: string][] = [
    ['is expired', () => sign({ sub: 'ann', exp: now - 60 }), 'expired'],
    ['is not valid yet', () => sign({ sub: 'ann', nbf: now + 60 }), 'invalid'],
    ['was signed with another secret', () => sign({ sub: 'ann' }, { key: 'another secret, also long' }), 'invalid'],
    ['was signed with another algorithm', () => sign({ sub: 'ann' }, { algorithm: 'HS512' }), 'invalid'],
    ['is not signed', () => new UnsecuredJWT({ sub: 'ann' }).encode(), 'invalid'],
    ['names nobody', () => sign({ exp: now + 60 }), 'invalid'],
    ['names an empty user', () => sign({ sub: '' }), 'invalid'],
    ['names a user of 129 characters', () => sign({ sub: 'x'.repeat(129) }), 'invalid'],
    ['is no token', () => 'nonsense', 'invalid'],
    ['is empty', () => '', 'invalid'],
  ];
  it.each(refused)('is refused when it %s', async (_, token, why) => {
    expect(await new Tokens(secret).connection(await token())).toEqual({ ok: false, why });
  });

  it('is refused where no secret is set', async () => {
    expect(await new Tokens(null).connection(await sign({ sub: 'ann' }))).toEqual({ ok: false, why: 'invalid' });
  });
});

describe('a subscription token', () => {
  it('opens one channel to one user', async () => {
    const token = await sign({ sub: 'ann', channel: 'room:a' });
    expect(await new Tokens(secret).subscription(token)).toEqual({
      ok: true,
      value: { sub: 'ann', channel: 'room:a' },
    });
  });

  it('is refused without a channel', async () => {
    expect(await new Tokens(secret).subscription(await sign({ sub: 'ann' }))).toEqual({ ok: false, why: 'invalid' });
  });
});

describe('connect data in development mode', () => {
  it.each([
    [{ user: 'ann' }, 'ann'],
    [{ user: 'ann', extra: 1 }, 'ann'],
    [{ user: '' }, undefined],
    [{ user: 7 }, undefined],
    [{}, undefined],
    [undefined, undefined],
    ['ann', undefined],
    [{ user: '\ud800' }, undefined],
  ])('%j name the user %s', (data, user) => {
    expect(developmentIdentity(data)?.user).toBe(user);
  });
});
