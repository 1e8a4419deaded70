import { errors, jwtVerify } from 'jose';
import { z } from 'zod';

/** Longest user id in characters. */
export const maxUserLength = 128;
export const userId = z
  .string()
  .min(1)
  .max(maxUserLength)
  .refine((user) => user.isWellFormed(), 'must be well-formed Unicode');

const profile = z.object({ username: z.string().min(1).max(100).optional(), email: z.email().max(254).optional() });

const connectionClaims = z.object({
  sub: userId,
  exp: z.number().optional(),
  /** Channels of private rooms that the token opens. */
  channels: z.array(z.string().max(255)).max(1_000).default([]),
  info: profile.default({}),
});

const subscriptionClaims = z.object({ sub: userId, channel: z.string().max(255), exp: z.number().optional() });

/** Who connects. */
export interface Identity {
  readonly user: string;
  readonly username?: string;
  readonly email?: string;
  /** Channels that the token opens. */
  readonly channels: readonly string[];
  /** End of the token's life in Unix seconds; null when it has none. */
  readonly expiresAt: number | null;
}

export type Verified<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly why: 'expired' | 'invalid' };

/** Verifies JSON Web Tokens (RFC 7519) signed with HMAC SHA-256; no other algorithm is accepted. */
export class Tokens {
  readonly #key: Uint8Array | null;

  /** `secret` null accepts no token. */
  constructor(secret: string | null) {
    this.#key = secret === null ? null : new TextEncoder().encode(secret);
  }

  /** A connection token: `sub` is the user; `exp`, `channels` and `info` {username, email} may follow. */
  async connection(token: string): Promise<Verified<Identity>> {
    const claims = await this.#verify(token, connectionClaims);
    if (!claims.ok) return claims;
    const { sub, exp, channels, info } = claims.value;
    return {
      ok: true,
      value: {
        user: sub,
        ...(info.username === undefined ? {} : { username: info.username }),
        ...(info.email === undefined ? {} : { email: info.email }),
        channels,
        expiresAt: exp ?? null,
      },
    };
  }

  /** A subscription token: opens one channel to one user. */
  subscription(token: string): Promise<Verified<z.infer<typeof subscriptionClaims>>> {
    return this.#verify(token, subscriptionClaims);
  }

  async #verify<T>(token: string, claims: z.ZodType<T>): Promise<Verified<T>> {
    if (this.#key === null) return { ok: false, why: 'invalid' };
    try {
      const { payload } = await jwtVerify(token, this.#key, { algorithms: ['HS256'] });
      const parsed = claims.safeParse(payload);
      return parsed.success ? { ok: true, value: parsed.data } : { ok: false, why: 'invalid' };
    } catch (error) {
      return { ok: false, why: error instanceof errors.JWTExpired ? 'expired' : 'invalid' };
    }
  }
}

const developmentData = z.object({ user: userId }).and(profile);

/** Development mode: who the connect data say they are; null when they say nothing usable. */
export const developmentIdentity = (data: unknown): Identity | null => {
  const parsed = developmentData.safeParse(data);
  if (!parsed.success) return null;
  const { user, username, email } = parsed.data;
  return {
    user,
    ...(username === undefined ? {} : { username }),
    ...(email === undefined ? {} : { email }),
    channels: [],
    expiresAt: null,
  };
};
