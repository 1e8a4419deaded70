import type { RequestOf } from '../../protocol/command.ts';
import { disconnects } from '../../protocol/disconnect.ts';
import { replyErrors } from '../../protocol/reply-error.ts';
import type { Connection } from '../connection.ts';
import { disconnect, refusal, result, type Outcome } from '../outcome.ts';
import { developmentIdentity, type Identity } from '../token.ts';

/** `expires` and `ttl` (s) of a reply for a token that ends at Unix second `expiresAt`. */
export const expiryOf = (expiresAt: number | null): { expires?: true; ttl?: number } =>
  expiresAt === null ? {} : { expires: true, ttl: Math.max(1, Math.ceil(expiresAt - Date.now() / 1000)) };

const identify = async (connection: Connection, { token, data }: RequestOf<'connect'>): Promise<Identity | Outcome> => {
  const { tokens, development } = connection.services;
  if (token === undefined || token === '') {
    const identity = development ? developmentIdentity(data) : null;
    return identity ?? disconnect(disconnects.invalidToken);
  }
  const verified = await tokens.connection(token);
  if (verified.ok) return verified.value;
  return verified.why === 'expired' ? refusal(replyErrors.tokenExpired) : disconnect(disconnects.invalidToken);
};

/** Accepts a client: by its token, or by its word in development mode. */
export const connect = async (connection: Connection, request: RequestOf<'connect'>): Promise<Outcome> => {
  const identity = await identify(connection, request);
  if ('kind' in identity) return identity;
  if (connection.closed) return result({});
  connection.identified(identity);
  const { gateway, limits } = connection.services;
  return result({
    client: connection.client,
    version: 'quartet',
    ...expiryOf(identity.expiresAt),
    ping: limits.pingSeconds,
    pong: true,
    node: gateway,
    session: connection.client,
  });
};
