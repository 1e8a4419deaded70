import { chatRoom } from './chat-room.ts';
import { dbBackup } from './db-backup.ts';
import { dbShard } from './db-shard.ts';
import { edgeNode } from './edge-node.ts';
import type { Kind } from './kind.ts';
import { searchShard } from './search-shard.ts';

/** The kinds of the four services, and the backups of a database. */
export const kinds: readonly Kind[] = [edgeNode, searchShard, chatRoom, dbShard, dbBackup];
