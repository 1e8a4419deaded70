import type { Command } from '../../protocol/command.ts';
import { disconnects } from '../../protocol/disconnect.ts';
import { replyErrors } from '../../protocol/reply-error.ts';
import type { Connection } from '../connection.ts';
import { disconnect, refusal, result, type Outcome } from '../outcome.ts';
import { connect } from './connect.ts';
import { history } from './history.ts';
import { presence, presenceStats } from './presence.ts';
import { publish } from './publish.ts';
import { refresh } from './refresh.ts';
import { rpc } from './rpc.ts';
import { subscribe, unsubscribe } from './subscribe.ts';

/** Carries out a command. Rejects with ChatError when a service does not answer. */
export const runCommand = async (connection: Connection, command: Command): Promise<Outcome> => {
  const { method } = command;
  switch (method) {
    case 'connect':
      return await connect(connection, command.request);
    case 'subscribe':
      return await subscribe(connection, command.id, command.request);
    case 'unsubscribe':
      return unsubscribe(connection, command.request);
    case 'publish':
      return await publish(connection, command.request);
    case 'history':
      return await history(connection, command.id, command.request);
    case 'presence':
      return await presence(connection, command.request);
    case 'presence_stats':
      return await presenceStats(connection, command.request);
    case 'rpc':
      return await rpc(connection, command.request);
    case 'refresh':
      return await refresh(connection, command.request);
    default:
      return runRare(method);
  }
};

const runRare = (method: 'ping' | 'send' | 'sub_refresh'): Outcome => {
  if (method === 'ping') return result({});
  // subscriptions do not expire here, and nobody listens to messages without a reply
  return method === 'send' ? disconnect(disconnects.notAvailable) : refusal(replyErrors.notAvailable);
};
