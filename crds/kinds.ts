import { chatRoom } from './chat-room.ts';
import { dbShard } from './db-shard.ts';
import { edgeNode } from './edge-node.ts';
import type { Kind } from './kind.ts';
import { searchShard } from './search-shard.ts';

/** The four kinds. */
export const kinds: readonly Kind[] = [edgeNode, searchShard, chatRoom, dbShard];
