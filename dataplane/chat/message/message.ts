import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { ChatRoomEntry } from '../../../contract/directory.ts';
import { badRequest } from '../protocol/bad-request.ts';
import { replyErrors, withDetail, type ReplyError } from '../protocol/reply-error.ts';
import { moderate } from './moderation.ts';

/** Longest content, in characters (UTF-16 units, as every JavaScript client counts). */
export const maxContentLength = 10_000;
/** Bounds of metadata, as JSON text. */
const maxMetadataBytes = 8 * 1024;
const maxMetadataKeys = 64;

export const messageTypes = ['text', 'image', 'file', 'system'] as const;

/** Levels of objects and arrays in metadata. */
const maxMetadataDepth = 16;

const isShallow = (value: unknown, levels: number): boolean => {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((each) => isShallow(each, levels - 1));
};

/** What a client publishes. `id` is chosen by the client, so that sending again stores nothing twice. */
const messageInput = z.strictObject({
  content: z
    .string()
    .max(maxContentLength, `content has more than ${maxContentLength} characters`)
    .refine((content) => content.trim() !== '', 'content is empty'),
  type: z.enum(messageTypes).default('text'),
  metadata: z
    .record(z.string().max(100), z.unknown())
    .refine((metadata) => isShallow(metadata, maxMetadataDepth), {
      message: `more than ${maxMetadataDepth} levels`,
      abort: true,
    })
    .refine((metadata) => Object.keys(metadata).length <= maxMetadataKeys, `more than ${maxMetadataKeys} keys`)
    .refine(
      (metadata) => Buffer.byteLength(JSON.stringify(metadata)) <= maxMetadataBytes,
      `more than ${maxMetadataBytes} bytes`,
    )
    .optional(),
  id: z
    .string()
    .regex(/^[\w.:-]{1,64}$/, 'must be 1 to 64 letters, digits or _ . : -')
    .optional(),
});

/** A message as rooms hold it: the `data` of a publication. */
export interface Message {
  readonly id: string;
  readonly user: string;
  readonly content: string;
  readonly type: (typeof messageTypes)[number];
  /** When the gateway took it, Unix milliseconds. */
  readonly timestamp: number;
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Moderation found something (levels `flag` and `mask`). */
  readonly flagged?: true;
}

/** Who sends, when, and whether it is a server, which may send messages of type `system`. */
export interface Sender {
  readonly user: string;
  readonly trusted: boolean;
  readonly now: number;
}

export type MadeMessage =
  { readonly ok: true; readonly message: Message } | { readonly ok: false; readonly error: ReplyError };

const refuse = (error: ReplyError): MadeMessage => ({ ok: false, error });

/** Why this sender may not send this type to this room; null when it may. */
const forbiddenType = (type: Message['type'], room: ChatRoomEntry, sender: Sender): ReplyError | null => {
  if (type === 'file' && !room.fileUpload) return replyErrors.filesNotAllowed;
  if (type === 'system' && !sender.trusted) {
    return withDetail(replyErrors.permissionDenied, 'only servers send messages of type system');
  }
  return null;
};

/** Validates what was published against the room's settings and makes the message of it. Pure but for a random id. */
export const makeMessage = (data: unknown, room: ChatRoomEntry, sender: Sender): MadeMessage => {
  const parsed = messageInput.safeParse(data);
  if (!parsed.success) return refuse(badRequest(parsed.error));
  const { content, type, metadata, id } = parsed.data;
  const forbidden = forbiddenType(type, room, sender);
  if (forbidden !== null) return refuse(forbidden);
  const verdict = moderate(content, room.moderation);
  if (verdict.rejected) return refuse(replyErrors.contentRejected);
  const message: Message = {
    id: id ?? randomUUID(),
    user: sender.user,
    content: verdict.content,
    type,
    timestamp: sender.now,
    ...(metadata === undefined ? {} : { metadata }),
    ...(verdict.flagged ? { flagged: true as const } : {}),
  };
  return { ok: true, message };
};
