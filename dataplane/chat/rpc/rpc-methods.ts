import { join } from './join.ts';
import { leave } from './leave.ts';
import { rooms } from './rooms.ts';
import { status } from './status.ts';
import { typing } from './typing.ts';
import { user } from './user.ts';
import { users } from './users.ts';

/** All methods by name. */
export const rpcMethods = { join, leave, rooms, status, typing, user, users } as const;
