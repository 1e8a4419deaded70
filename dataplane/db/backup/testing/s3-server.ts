import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { startChild } from '../../../../local/processes/child.ts';
import { freePort } from '../../../../local/processes/ports.ts';
import { until } from '../../../../local/processes/until.ts';

/** A server of S3's protocol, as a process. It checks signatures. */
export interface S3Server {
  readonly endpoint: string;
  readonly bucket: string;
  /** Variables of the environment that open it. */
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** @param options of s3rver, as JSON */
const program = (options: string): string => `new (require('@20minutes/s3rver'))(${options}).run()`;

/** Starts s3rver with one bucket. @param dir holds everything; made when missing */
export const startS3 = async (dir: string): Promise<S3Server> => {
  mkdirSync(dir, { recursive: true });
  const port = await freePort();
  const bucket = 'backups';
  const options = {
    directory: join(dir, 'objects'),
    address: '127.0.0.1',
    port,
    configureBuckets: [{ name: bucket, configs: [] }],
  };
  mkdirSync(options.directory);
  // It makes tokens of its lists with a cipher that is no longer among the usual ones.
  const args = ['--openssl-legacy-provider', '-e', program(JSON.stringify(options))];
  const cwd = join(import.meta.dirname, '..', '..', '..', '..');
  const child = startChild({
    name: 's3',
    command: process.execPath,
    args,
    cwd,
    env: process.env,
    log: join(dir, 's3.log'),
  });
  const endpoint = `http://127.0.0.1:${port}`;
  await until({ what: 'the S3 server', timeoutMs: 60_000 }, async () => {
    const response = await fetch(endpoint).catch(() => null);
    return response === null ? undefined : true;
  });
  return {
    endpoint,
    bucket,
    // The one account that s3rver knows.
    env: { AWS_ACCESS_KEY_ID: 'S3RVER', AWS_SECRET_ACCESS_KEY: 'S3RVER' },
    stop: async () => void (await child.stop(2_000)),
  };
};
