import type { ChatRoomSpec, ChatRoomStatus } from '../crds/chat-room.ts';
import type { DbBackupSpec, DbBackupStatus } from '../crds/db-backup.ts';
import type { DbShardSpec, DbShardStatus } from '../crds/db-shard.ts';
import type { EdgeNodeSpec, EdgeNodeStatus } from '../crds/edge-node.ts';
import { apiVersion } from '../crds/kind.ts';
import type { SearchShardSpec, SearchShardStatus } from '../crds/search-shard.ts';
import type { KubeObject } from './runtime/object.ts';
import { resource } from './runtime/resource.ts';

/** A custom resource as the API server holds it: its spec has all defaults. */
export interface Custom<Spec, Status> extends KubeObject {
  readonly spec: Spec;
  readonly status?: Status;
}

export type EdgeNode = Custom<EdgeNodeSpec, EdgeNodeStatus>;
export type SearchShard = Custom<SearchShardSpec, SearchShardStatus>;
export type ChatRoom = Custom<ChatRoomSpec, ChatRoomStatus>;
export type DbShard = Custom<DbShardSpec, DbShardStatus>;
export type DbBackup = Custom<DbBackupSpec, DbBackupStatus>;

export const edgeNodes = resource<EdgeNode>(apiVersion, 'EdgeNode', 'edgenodes');
export const searchShards = resource<SearchShard>(apiVersion, 'SearchShard', 'searchshards');
export const chatRooms = resource<ChatRoom>(apiVersion, 'ChatRoom', 'chatrooms');
export const dbShards = resource<DbShard>(apiVersion, 'DBShard', 'dbshards');
export const dbBackups = resource<DbBackup>(apiVersion, 'DBBackup', 'dbbackups');

/** Namespace and name of an object. Custom resources always have a namespace. */
export const refTo = ({ metadata }: KubeObject): { readonly namespace: string; readonly name: string } => ({
  namespace: metadata.namespace ?? '',
  name: metadata.name,
});

/** Holds a resource until the operator has cleaned up what is outside of Kubernetes. */
export const finalizer = 'quartet.dev/operator';
