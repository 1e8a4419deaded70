import { z } from 'zod';
import { describeIssue } from './bad-request.ts';

/**
 * A command of the Centrifugo client protocol, JSON, version 2 (`client.proto` of centrifugal/protocol). Unknown fields
 * are dropped, as a Protobuf reader would. Strings and numbers have bounds, payloads are bounded by the frame.
 */
const channel = z.string().min(1).max(255);
const token = z.string().max(16 * 1024);
const offset = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);
const epoch = z.string().max(64);

const connectRequest = z.object({
  token: token.optional(),
  data: z.unknown().optional(),
  name: z.string().max(100).optional(),
  version: z.string().max(100).optional(),
});
const subscribeRequest = z.object({
  channel,
  token: token.optional(),
  recover: z.boolean().default(false),
  offset: offset.default(0),
  epoch: epoch.default(''),
  join_leave: z.boolean().default(false),
  flag: z.number().int().nonnegative().default(0),
});
const publishRequest = z.object({ channel, data: z.unknown().optional() });
const historyRequest = z.object({
  channel,
  limit: z.number().int().min(-1).default(0),
  since: z.object({ offset: offset.default(0), epoch: epoch.default('') }).optional(),
  reverse: z.boolean().default(false),
});
const channelRequest = z.object({ channel });
const rpcRequest = z.object({ method: z.string().max(100).default(''), data: z.unknown().optional() });
const tokenRequest = z.object({ token: token.default('') });
const subTokenRequest = z.object({ channel, token: token.default('') });

const requests = {
  connect: connectRequest,
  subscribe: subscribeRequest,
  unsubscribe: channelRequest,
  publish: publishRequest,
  presence: channelRequest,
  presence_stats: channelRequest,
  history: historyRequest,
  ping: z.object({}),
  send: z.object({ data: z.unknown().optional() }),
  rpc: rpcRequest,
  refresh: tokenRequest,
  sub_refresh: subTokenRequest,
} as const;

export type Method = keyof typeof requests;
export type RequestOf<M extends Method> = z.infer<(typeof requests)[M]>;

/** A parsed command: what is asked under which id. `send` carries no id. */
export type Command = {
  [M in Method]: { readonly id: number; readonly method: M; readonly request: RequestOf<M> };
}[Method];

/**
 * - pong: the answer to a server ping, `{}`
 * - malformed: not a command at all; the connection is closed
 * - invalid: a command of this method that breaks its schema; the reply is error 107
 */
export type ParsedLine =
  | { readonly kind: 'pong' }
  | { readonly kind: 'command'; readonly command: Command }
  | { readonly kind: 'invalid'; readonly id: number; readonly method: Method; readonly detail: string }
  | { readonly kind: 'malformed'; readonly detail: string };

const commandId = z.number().int().min(0).max(0xffff_ffff);
const methods = Object.keys(requests) as Method[];

const parseObject = (line: string): Record<string, unknown> | null => {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
};

/** Parses one line of a frame. Never throws. As in the protocol, the first request that is set counts. */
export const parseLine = (line: string): ParsedLine => {
  const value = parseObject(line);
  if (value === null) return { kind: 'malformed', detail: 'a command is a JSON object' };
  const id = commandId.safeParse(value['id'] ?? 0);
  if (!id.success) return { kind: 'malformed', detail: 'the command id is not an unsigned 32-bit number' };
  const method = methods.find((name) => value[name] !== undefined && value[name] !== null);
  if (method === undefined) {
    return id.data === 0 ? { kind: 'pong' } : { kind: 'malformed', detail: 'the command asks for nothing known' };
  }
  if (id.data === 0 && method !== 'send') return { kind: 'malformed', detail: 'a command needs an id' };
  const request = requests[method].safeParse(value[method]);
  if (!request.success) return { kind: 'invalid', id: id.data, method, detail: describeIssue(request.error) };
  return { kind: 'command', command: { id: id.data, method, request: request.data } as Command };
};
