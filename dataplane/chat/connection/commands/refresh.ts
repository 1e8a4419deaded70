import type { RequestOf } from '../../protocol/command.ts';
import { disconnects } from '../../protocol/disconnect.ts';
import { replyErrors } from '../../protocol/reply-error.ts';
import type { Connection } from '../connection.ts';
import { disconnect, refusal, result, type Outcome } from '../outcome.ts';
import { expiryOf } from './connect.ts';

/** Renews the connection by a new token of the same user. */
export const refresh = async (connection: Connection, request: RequestOf<'refresh'>): Promise<Outcome> => {
  const verified = await connection.services.tokens.connection(request.token);
  if (!verified.ok) {
    return verified.why === 'expired' ? refusal(replyErrors.tokenExpired) : disconnect(disconnects.invalidToken);
  }
  const { user, expiresAt } = verified.value;
  if (user !== connection.user) return disconnect(disconnects.invalidToken);
  connection.renewed(expiresAt);
  return result({ client: connection.client, version: 'quartet', ...expiryOf(expiresAt) });
};
