import { BackupError } from '../backup-error.ts';
import { DirectoryRepository } from './directory.ts';
import { isPlainPath, type Repository } from './repository.ts';
import { S3Repository } from './s3.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const s3Scheme = 's3://';

const httpUrl = (text: string): string => {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url !== null && /^https?:$/.test(url.protocol) && url.username === '') return url.origin;
  throw new BackupError('invalid', `the endpoint ${text} is not a URL such as https://storage.example.com`);
};

const endpointOf = (given: string | undefined, region: string, env: Environment): string => {
  const endpoint = given ?? env['AWS_ENDPOINT_URL_S3'] ?? env['AWS_ENDPOINT_URL'];
  return httpUrl(endpoint ?? `https://s3.${region}.amazonaws.com`);
};

const credential = (name: string, env: Environment): string => {
  const value = env[name];
  if (value !== undefined && value !== '') return value;
  throw new BackupError(
    'invalid',
    `${name} is not set: backups in S3 need AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY`,
  );
};

const openBucket = (place: string, endpoint: string | undefined, env: Environment): Repository => {
  const [bucket = '', ...rest] = place.slice(s3Scheme.length).split('/');
  const prefix = rest.filter((part) => part !== '').join('/');
  // The rules of names of buckets; see "General purpose bucket naming rules" of Amazon S3.
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket) || !(prefix === '' || isPlainPath(prefix))) {
    const rule = 'a bucket, and a prefix of letters, digits, dots, dashes and slashes';
    throw new BackupError('invalid', `${place} is not a place such as s3://bucket/prefix: ${rule}`);
  }
  const region = env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'] ?? 'us-east-1';
  const sessionToken = env['AWS_SESSION_TOKEN'];
  return new S3Repository({
    bucket,
    prefix,
    region,
    endpoint: endpointOf(endpoint, region, env),
    accessKeyId: credential('AWS_ACCESS_KEY_ID', env),
    secretAccessKey: credential('AWS_SECRET_ACCESS_KEY', env),
    ...(sessionToken === undefined || sessionToken === '' ? {} : { sessionToken }),
  });
};

/**
 * The place that a command line names: `s3://bucket/prefix`, or else a directory. Credentials and region of S3 come from
 * the usual variables of the environment, and so does the endpoint unless it is given.
 * @throws BackupError invalid
 */
export const openRepository = (place: string, endpoint: string | undefined, env: Environment): Repository => {
  if (place.startsWith(s3Scheme)) return openBucket(place, endpoint, env);
  if (endpoint !== undefined) throw new BackupError('invalid', '--endpoint is for places that begin with s3://');
  if (place === '' || /^[a-z0-9+.-]+:\/\//i.test(place)) {
    throw new BackupError('invalid', `${place} is neither a directory nor s3://bucket/prefix`);
  }
  return new DirectoryRepository(place);
};
