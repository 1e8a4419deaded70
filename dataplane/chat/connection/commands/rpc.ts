import type { RequestOf } from '../../protocol/command.ts';
import { badRequest } from '../../protocol/bad-request.ts';
import { replyErrors } from '../../protocol/reply-error.ts';
import { rpcMethods } from '../../rpc/rpc-methods.ts';
import type { Connection } from '../connection.ts';
import { refusal, result, type Outcome } from '../outcome.ts';

/** Calls a method of this service that the protocol has no command for. */
export const rpc = async (connection: Connection, { method, data }: RequestOf<'rpc'>): Promise<Outcome> => {
  const found = Object.hasOwn(rpcMethods, method) ? rpcMethods[method as keyof typeof rpcMethods] : undefined;
  if (found === undefined) return refusal(replyErrors.methodNotFound);
  const parsed = found.input.safeParse(data ?? {});
  if (!parsed.success) return refusal(badRequest(parsed.error));
  const answer = await found.call(connection, parsed.data as never);
  return answer.ok ? result({ data: answer.data }) : refusal(answer.error);
};
