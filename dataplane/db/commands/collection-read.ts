import type { Frame } from '../resp/frame.ts';
import type { ReplyWriter } from '../resp/reply-writer.ts';
import { valueType } from '../store/row.ts';
import { Collection } from './collection.ts';
import { oneKey, type KeyCommand } from './command.ts';

type Read = (collection: Collection, frame: Frame, reply: ReplyWriter) => void;

/** Makes commands that answer from the hash or the set at their key. */
export const readingOf =
  (group: 'hash' | 'set') =>
  (name: string, arity: number, summary: string, read: Read): KeyCommand => ({
    kind: 'keys',
    keys: oneKey,
    group,
    across: 'refuse',
    name,
    arity,
    flags: ['readonly', 'fast'],
    summary,
    evaluate: (view, frame, reply) => read(new Collection(view, frame.key(1), valueType[group]), frame, reply),
  });
