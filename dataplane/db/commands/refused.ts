/** Why commands of Redis are not served, and which they are. */
const refusals: readonly (readonly [reason: string, commands: string])[] = [
  [
    'a command that waits for another client would hold up its connection; poll, or SUBSCRIBE',
    'BLMOVE BLMPOP BLPOP BRPOP BRPOPLPUSH BZMPOP BZPOPMAX BZPOPMIN',
  ],
  [
    'there are no streams; use a list, or the change feed of the NATS API',
    'XACK XADD XAUTOCLAIM XCLAIM XDEL XGROUP XINFO XLEN XPENDING XRANGE XREAD XREADGROUP XREVRANGE XSETID XTRIM',
  ],
  [
    'scripts would run on the primary without a bound; use MULTI and WATCH, or conditional transactions of the NATS API',
    'EVAL EVALSHA EVALSHA_RO EVAL_RO FCALL FCALL_RO FUNCTION SCRIPT',
  ],
  [
    'there are no geographic indexes',
    'GEOADD GEODIST GEOHASH GEOPOS GEORADIUS GEORADIUSBYMEMBER GEORADIUSBYMEMBER_RO GEORADIUS_RO GEOSEARCH GEOSEARCHSTORE',
  ],
  ['there is no HyperLogLog', 'PFADD PFCOUNT PFDEBUG PFMERGE PFSELFTEST'],
  ['there are no bitmaps', 'BITCOUNT BITFIELD BITFIELD_RO BITOP BITPOS GETBIT SETBIT'],
  [
    'it takes several keys and may walk over all of them; read them and combine them in the client',
    'LMPOP ZDIFF ZDIFFSTORE ZINTER ZINTERCARD ZINTERSTORE ZMPOP ZUNION ZUNIONSTORE LCS',
  ],
  ['a list, a set or a sorted set is not sorted whole', 'SORT SORT_RO'],
  ['GETRANGE is the same', 'SUBSTR'],
  [
    'shards are found by the gateway, from the ranges of DBShard resources',
    'ASKING CLUSTER SPUBLISH SSUBSCRIBE SUNSUBSCRIBE MIGRATE RESTORE-ASKING',
  ],
  [
    'replication is that of the log, and roles are given by the operator',
    'FAILOVER PSYNC REPLCONF REPLICAOF ROLE SLAVEOF SYNC WAIT',
  ],
  [
    'every acknowledged write is on disk; backups are made by `quartet backup`',
    'BGREWRITEAOF BGSAVE LASTSAVE SAVE DUMP RESTORE',
  ],
  [
    'a database is configured by its resource, and its pods are ended by the operator',
    'ACL MODULE SHUTDOWN SWAPDB MOVE',
  ],
  ['it would show the data of all clients', 'MONITOR'],
  ['it is a tool for developers of Redis', 'DEBUG LOLWUT'],
];

/** Commands of Redis that are refused, with the reason. */
export const refusedCommands: ReadonlyMap<string, string> = new Map(
  refusals.flatMap(([reason, names]) => names.split(' ').map((name) => [name, reason] as const)),
);
