import { Buffer } from 'node:buffer';

/** A user as a KV key and subject token: base64url of the UTF-8 name, so that any name is safe. */
export const encodeUser = (user: string): string => Buffer.from(user, 'utf8').toString('base64url');

/** The user of a token made by {@link encodeUser}. */
export const decodeUser = (token: string): string => Buffer.from(token, 'base64url').toString('utf8');

/** Key of a membership in the chat bucket. */
export const memberKey = (room: string, user: string): string => `member.${room}.${encodeUser(user)}`;

/** Key of a user's record in the chat bucket. */
export const userKey = (user: string): string => `user.${encodeUser(user)}`;
