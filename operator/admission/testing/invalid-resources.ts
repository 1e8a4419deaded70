/** A resource that the API server refuses; docs/invalid-resources.md shows what kubectl says. */
export interface InvalidResource {
  readonly title: string;
  readonly kind: 'EdgeNode' | 'SearchShard' | 'ChatRoom' | 'DBShard' | 'DBBackup';
  readonly spec: object;
  /** Absent: a name that is fine. */
  readonly name?: string;
}

const volume = { claimName: 'disk' };
const s3 = { bucket: 'backups', credentialsSecret: 'keys' };
const backup = { database: 'app', schedule: '@daily', destination: { volume } };

export const invalidResources: readonly InvalidResource[] = [
  { title: 'a shard without a database', kind: 'DBShard', spec: {} },
  { title: 'a database in capitals', kind: 'DBShard', spec: { database: 'App' } },
  { title: 'a database with no name', kind: 'DBShard', spec: { database: '' } },
  {
    title: 'a range that ends before it starts',
    kind: 'DBShard',
    spec: { database: 'app', range: { start: 'm', end: 'a' } },
  },
  { title: 'an empty range', kind: 'DBShard', spec: { database: 'app', range: { start: 'm', end: 'm' } } },
  { title: 'a bound of 257 characters', kind: 'DBShard', spec: { database: 'app', range: { start: 'x'.repeat(257) } } },
  { title: 'no replica', kind: 'DBShard', spec: { database: 'app', replicas: 0 } },
  { title: 'ten replicas', kind: 'DBShard', spec: { database: 'app', replicas: 10 } },
  { title: 'half a replica', kind: 'DBShard', spec: { database: 'app', replicas: 1.5 } },
  { title: 'storage that is too small', kind: 'DBShard', spec: { database: 'app', storage: { size: '1Mi' } } },
  { title: 'storage that is no quantity', kind: 'DBShard', spec: { database: 'app', storage: { size: 'much' } } },
  { title: 'an unknown volume policy', kind: 'DBShard', spec: { database: 'app', storage: { policy: 'Keep' } } },
  { title: 'suspecting too soon', kind: 'DBShard', spec: { database: 'app', failover: { suspectAfter: '10ms' } } },
  { title: 'replacing too late', kind: 'DBShard', spec: { database: 'app', failover: { replaceAfter: '48h' } } },
  { title: 'a duration in days', kind: 'DBShard', spec: { database: 'app', failover: { replaceAfter: '1d' } } },
  { title: 'a shard without an index', kind: 'SearchShard', spec: { ordinal: 0, of: 1 } },
  { title: 'a shard without an ordinal', kind: 'SearchShard', spec: { index: 'p', of: 1 } },
  { title: 'an ordinal beyond the total', kind: 'SearchShard', spec: { index: 'products', ordinal: 1, of: 1 } },
  { title: 'a negative ordinal', kind: 'SearchShard', spec: { index: 'products', ordinal: -1, of: 1 } },
  { title: 'an index of no shards', kind: 'SearchShard', spec: { index: 'products', ordinal: 0, of: 0 } },
  {
    title: 'an unknown analyzer',
    kind: 'SearchShard',
    spec: { index: 'products', ordinal: 0, of: 1, analysis: { analyzer: 'klingon' } },
  },
  { title: 'an unknown room type', kind: 'ChatRoom', spec: { type: 'secret' } },
  { title: 'a room for one', kind: 'ChatRoom', spec: { maxMembers: 1 } },
  { title: 'a room without history', kind: 'ChatRoom', spec: { retention: { maxMessages: 0 } } },
  { title: 'a history of seconds', kind: 'ChatRoom', spec: { retention: { maxAge: '5s' } } },
  { title: 'an unknown moderation level', kind: 'ChatRoom', spec: { moderation: { level: 'strict' } } },
  { title: 'a display name that is a novel', kind: 'ChatRoom', spec: { displayName: 'x'.repeat(201) } },
  { title: 'fileUpload as a word', kind: 'ChatRoom', spec: { fileUpload: 'yes' } },
  {
    title: 'an edge without a place',
    kind: 'EdgeNode',
    spec: { coordinates: '1,1', origins: [{ url: 'http://origin:80' }] },
  },
  {
    title: 'an edge without coordinates',
    kind: 'EdgeNode',
    spec: { location: { country: 'DE' }, origins: [{ url: 'http://origin:80' }] },
  },
  {
    title: 'a latitude beyond the pole',
    kind: 'EdgeNode',
    spec: { location: { country: 'DE' }, coordinates: '91,0', origins: [{ url: 'http://origin:80' }] },
  },
  {
    title: 'a longitude beyond the date line',
    kind: 'EdgeNode',
    spec: { location: { country: 'DE' }, coordinates: '0,181', origins: [{ url: 'http://origin:80' }] },
  },
  {
    title: 'coordinates as floats',
    kind: 'EdgeNode',
    spec: { location: { country: 'DE' }, coordinates: 50.11, origins: [{ url: 'http://origin:80' }] },
  },
  {
    title: 'a country by name',
    kind: 'EdgeNode',
    spec: { location: { country: 'Germany' }, coordinates: '50.11,8.68', origins: [{ url: 'http://origin:80' }] },
  },
  {
    title: 'an unknown continent',
    kind: 'EdgeNode',
    spec: {
      location: { country: 'DE', continent: 'XX' },
      coordinates: '50.11,8.68',
      origins: [{ url: 'http://origin:80' }],
    },
  },
  {
    title: 'an edge without origins',
    kind: 'EdgeNode',
    spec: { location: { country: 'DE' }, coordinates: '50.11,8.68', origins: [] },
  },
  {
    title: 'an origin that is nothing',
    kind: 'EdgeNode',
    spec: { location: { country: 'DE' }, coordinates: '50.11,8.68', origins: [{}] },
  },
  {
    title: 'an origin that is two things',
    kind: 'EdgeNode',
    spec: {
      location: { country: 'DE' },
      coordinates: '50.11,8.68',
      origins: [{ url: 'http://origin:80', service: { name: 's', port: 80 } }],
    },
  },
  {
    title: 'an origin with a path',
    kind: 'EdgeNode',
    spec: { location: { country: 'DE' }, coordinates: '50.11,8.68', origins: [{ url: 'http://origin/path' }] },
  },
  {
    title: 'an origin over FTP',
    kind: 'EdgeNode',
    spec: { location: { country: 'DE' }, coordinates: '50.11,8.68', origins: [{ url: 'ftp://origin' }] },
  },
  {
    title: 'a port beyond 65535',
    kind: 'EdgeNode',
    spec: {
      location: { country: 'DE' },
      coordinates: '50.11,8.68',
      origins: [{ service: { name: 's', port: 70000 } }],
    },
  },
  {
    title: 'a host in two origins',
    kind: 'EdgeNode',
    spec: {
      location: { country: 'DE' },
      coordinates: '50.11,8.68',
      origins: [{ url: 'http://origin:80' }, { url: 'http://other' }],
    },
  },
  {
    title: 'a policy for everything',
    kind: 'EdgeNode',
    spec: {
      location: { country: 'DE' },
      coordinates: '50.11,8.68',
      origins: [{ url: 'http://origin:80' }],
      cache: { policies: [{ contentType: '*', ttl: '1h', maxObjectSize: '1Mi' }] },
    },
  },
  {
    title: 'a priority of eleven',
    kind: 'EdgeNode',
    spec: {
      location: { country: 'DE' },
      coordinates: '50.11,8.68',
      origins: [{ url: 'http://origin:80' }],
      cache: { policies: [{ contentType: 'css', ttl: '1h', maxObjectSize: '1Mi', priority: 11 }] },
    },
  },
  {
    title: 'a cache of nothing',
    kind: 'EdgeNode',
    spec: {
      location: { country: 'DE' },
      coordinates: '50.11,8.68',
      origins: [{ url: 'http://origin:80' }],
      cache: { memory: '1k' },
    },
  },
  {
    title: 'a bandwidth of zero',
    kind: 'EdgeNode',
    spec: {
      location: { country: 'DE' },
      coordinates: '50.11,8.68',
      origins: [{ url: 'http://origin:80' }],
      capacity: { bandwidthMbit: 0 },
    },
  },
  { title: 'a field with a typing error', kind: 'DBShard', spec: { database: 'app', replica: 3 } },
  { title: 'a list where an object belongs', kind: 'DBShard', spec: { database: 'app', storage: [] } },
  { title: 'a range that is a word', kind: 'DBShard', spec: { database: 'app', range: 'a-m' } },
  { title: 'a storage class in capitals', kind: 'DBShard', spec: { database: 'app', storage: { className: 'Fast' } } },
  { title: 'an ordinal as a word', kind: 'SearchShard', spec: { index: 'p', ordinal: 'first', of: 1 } },
  { title: 'more than 1,024 shards', kind: 'SearchShard', spec: { index: 'p', ordinal: 0, of: 1025 } },
  {
    title: 'a range beside splitFrom',
    kind: 'DBShard',
    spec: { database: 'app', range: { start: 'm' }, splitFrom: { shard: 'app-a' } },
  },
  { title: 'a split of nothing', kind: 'DBShard', spec: { database: 'app', splitFrom: { at: 'm' } } },
  {
    title: 'a split of itself',
    kind: 'DBShard',
    name: 'app-z',
    spec: { database: 'app', splitFrom: { shard: 'app-z' } },
  },
  {
    title: 'a split at no key',
    kind: 'DBShard',
    spec: { database: 'app', splitFrom: { shard: 'app-a', at: '' } },
  },
  {
    title: 'a split of a shard that can have no such name',
    kind: 'DBShard',
    spec: { database: 'app', splitFrom: { shard: 'App.A' } },
  },
  {
    title: 'a merge into itself',
    kind: 'DBShard',
    name: 'app-y',
    spec: { database: 'app', range: { start: 'm' }, mergeInto: 'app-y' },
  },
  {
    title: 'a merge of a shard that begins at the lowest key',
    kind: 'DBShard',
    spec: { database: 'app', range: { end: 'm' }, mergeInto: 'app-b' },
  },
  {
    title: 'a merge into a shard that can have no such name',
    kind: 'DBShard',
    spec: { database: 'app', range: { start: 'm' }, mergeInto: 'App.A' },
  },
  { title: 'a split above nothing', kind: 'DBShard', spec: { database: 'app', split: { above: '1k' } } },
  { title: 'a split above something', kind: 'DBShard', spec: { database: 'app', split: { above: 'large' } } },
  { title: 'a split without a limit', kind: 'DBShard', spec: { database: 'app', split: {} } },
  { title: 'a name with a dot', kind: 'DBShard', name: 'a.b', spec: { database: 'app' } },
  { title: 'a name of 41 characters', kind: 'ChatRoom', name: 'a'.repeat(41), spec: {} },
  { title: 'a backup without a schedule', kind: 'DBBackup', spec: { database: 'app', destination: { volume } } },
  { title: 'a backup of nothing', kind: 'DBBackup', spec: { schedule: '@daily', destination: { volume } } },
  { title: 'a backup to nowhere', kind: 'DBBackup', spec: { ...backup, destination: {} } },
  { title: 'a backup to two places', kind: 'DBBackup', spec: { ...backup, destination: { volume, s3 } } },
  { title: 'a schedule with seconds', kind: 'DBBackup', spec: { ...backup, schedule: '0 0 3 * * *' } },
  { title: 'a schedule at half past 24', kind: 'DBBackup', spec: { ...backup, schedule: '30 24 * * *' } },
  { title: 'a schedule in words', kind: 'DBBackup', spec: { ...backup, schedule: 'every night' } },
  { title: 'a time zone with spaces', kind: 'DBBackup', spec: { ...backup, timeZone: 'Central European Time' } },
  { title: 'no backup kept', kind: 'DBBackup', spec: { ...backup, keep: 0 } },
  { title: 'a deadline of seconds', kind: 'DBBackup', spec: { ...backup, deadline: '10s' } },
  {
    title: 'a bucket in capitals',
    kind: 'DBBackup',
    spec: { ...backup, destination: { s3: { ...s3, bucket: 'Backups' } } },
  },
  {
    title: 'a bucket without credentials',
    kind: 'DBBackup',
    spec: { ...backup, destination: { s3: { bucket: 'backups' } } },
  },
  {
    title: 'an endpoint with a password',
    kind: 'DBBackup',
    spec: { ...backup, destination: { s3: { ...s3, endpoint: 'https://me:secret@storage' } } },
  },
  {
    title: 'a path that climbs out of its volume',
    kind: 'DBBackup',
    spec: { ...backup, destination: { volume: { claimName: 'disk', path: '../data' } } },
  },
];
