import { z } from 'zod';
import { count, statusBase } from './conditions.ts';
import { duration } from './duration.ts';
import type { Kind } from './kind.ts';

export const chatRoomSpec = z.object({
  displayName: z.string().max(200).default('').describe('Name that people see; empty means the name of the resource.'),
  type: z
    .enum(['public', 'private', 'direct'])
    .default('public')
    .describe('public: anyone may join. private: servers add members. direct: a talk of two users.'),
  maxMembers: z.int().min(2).max(1_000_000).default(1000).describe('Members that the room takes.'),
  retention: z
    .object({
      maxAge: duration('retention.maxAge', '1m', '87600h')
        .default('168h')
        .describe('Messages older than this are forgotten.'),
      maxMessages: z
        .int()
        .min(1)
        .max(1_000_000)
        .default(10_000)
        .describe('Messages beyond this number are forgotten, oldest first.'),
    })
    .prefault({})
    .describe('How much history the room keeps.'),
  fileUpload: z.boolean().default(false).describe('Whether messages of type file are accepted.'),
  moderation: z
    .object({
      level: z
        .enum(['off', 'flag', 'mask', 'reject'])
        .default('off')
        .describe(
          'What happens to messages with listed words: nothing, marked in their metadata, words masked, or refused.',
        ),
    })
    .prefault({})
    .describe('Moderation of messages.'),
});
export type ChatRoomSpec = z.output<typeof chatRoomSpec>;

export const chatRoomStatus = z.object({
  ...statusBase,
  partition: count("Number of the message stream that holds the room's messages."),
  members: count('Members of the room, as of the last change of this status.'),
  online: count('Users that are connected to the room.'),
  messages: count('Messages that the room holds.'),
});
export type ChatRoomStatus = z.output<typeof chatRoomStatus>;

export const chatRoom = {
  kind: 'ChatRoom',
  plural: 'chatrooms',
  singular: 'chatroom',
  shortNames: ['room'],
  description: 'A room where people talk in real time.',
  spec: chatRoomSpec,
  status: chatRoomStatus,
  columns: [
    { name: 'Type', type: 'string', jsonPath: '.spec.type' },
    { name: 'Ready', type: 'string', jsonPath: ".status.conditions[?(@.type=='Ready')].status" },
    { name: 'Members', type: 'integer', jsonPath: '.status.members' },
    { name: 'Online', type: 'integer', jsonPath: '.status.online' },
    { name: 'Messages', type: 'integer', jsonPath: '.status.messages' },
    { name: 'Partition', type: 'integer', jsonPath: '.status.partition', priority: 1 },
    { name: 'Reason', type: 'string', jsonPath: ".status.conditions[?(@.type=='Ready')].reason", priority: 1 },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
} as const satisfies Kind;
