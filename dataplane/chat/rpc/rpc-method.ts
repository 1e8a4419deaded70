import type { z } from 'zod';
import type { Connection } from '../connection/connection.ts';
import type { ReplyError } from '../protocol/reply-error.ts';

/** The answer of a method. */
export type RpcAnswer =
  { readonly ok: true; readonly data: object } | { readonly ok: false; readonly error: ReplyError };

/** A method that clients call with the `rpc` command. May reject with ChatError. */
export interface RpcMethod<I extends z.ZodType> {
  readonly input: I;
  call(connection: Connection, input: z.infer<I>): Promise<RpcAnswer>;
}

export const rpcMethod = <I extends z.ZodType>(input: I, call: RpcMethod<I>['call']): RpcMethod<I> => ({ input, call });
export const answered = (data: object): RpcAnswer => ({ ok: true, data });
export const refused = (error: ReplyError): RpcAnswer => ({ ok: false, error });
