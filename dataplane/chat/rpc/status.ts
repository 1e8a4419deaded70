import { z } from 'zod';
import { userStatus } from '../membership/users.ts';
import { answered, rpcMethod } from './rpc-method.ts';

/** `{status}`: what others see of the user while connected. */
export const status = rpcMethod(z.object({ status: userStatus }), async ({ services, user }, input) => {
  services.users.note(user, { status: input.status });
  return answered({ status: input.status });
});
