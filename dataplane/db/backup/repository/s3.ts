import { setTimeout as sleep } from 'node:timers/promises';
import { createHash } from 'node:crypto';
import { AwsClient } from 'aws4fetch';
import { BackupError, reasonOf } from '../backup-error.ts';
import { plainPath, type Repository } from './repository.ts';

/** Where a bucket is, and as whom it is used. */
export interface S3Place {
  readonly bucket: string;
  /** Of all paths: a plain path itself; '' = none. */
  readonly prefix: string;
  /** `https://host[:port]`; buckets are the first part of the path. */
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** For one request, milliseconds. Left out: 30 s. */
  readonly timeoutMs?: number;
  /** How often a request is made before it is given up, when the endpoint is silent or busy. Left out: 4. */
  readonly attempts?: number;
}

interface Request {
  readonly method: 'GET' | 'PUT' | 'DELETE';
  /** Path and query, behind the bucket. */
  readonly at: string;
  readonly body?: Buffer;
  readonly maxBytes: number;
  /** For people. */
  readonly what: string;
}

interface Response {
  readonly status: number;
  readonly body: Buffer;
}

const defaults = { timeoutMs: 30_000, attempts: 4 } as const;
const firstPauseMs = 250;
/** Most of an answer that is no file, bytes. */
const maxAnswerBytes = 4 * 1024 * 1024;

/** The texts of an element of an XML document. S3 writes them without attributes; plain paths hold nothing that is escaped. */
const elements = (xml: string, name: string): string[] =>
  [...xml.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g'))].map((match) => match[1] ?? '');

/** Whether it may go better if it is tried again. */
const isBusy = (status: number): boolean => status === 429 || status >= 500;

/** All of a body; stops at the first byte beyond the limit. */
const bodyOf = async (response: globalThis.Response, { maxBytes: most, what }: Request): Promise<Buffer> => {
  const maxBytes = response.status === 200 ? most : maxAnswerBytes;
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > maxBytes)
      throw new BackupError('damaged', `${what}: it has more than the ${maxBytes} bytes that it may have`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};

/**
 * Backups in a bucket of Amazon S3 or of a server that speaks its protocol (REST API, signature version 4, paths with the
 * bucket first). A file is one object, written by one PUT, so it appears whole.
 */
export class S3Repository implements Repository {
  readonly name: string;
  readonly #place: S3Place;
  readonly #client: AwsClient;

  constructor(place: S3Place) {
    const { bucket, prefix, region, accessKeyId, secretAccessKey, sessionToken } = place;
    this.name = `s3://${bucket}${prefix === '' ? '' : `/${prefix}`}`;
    this.#place = place;
    // Trying again is done here: this client would do so without a deadline.
    const credentials = { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
    this.#client = new AwsClient({ ...credentials, region, service: 's3', retries: 0 });
  }

  async write(path: string, body: Buffer): Promise<void> {
    const what = `${this.name}/${path} cannot be written`;
    const response = await this.#ask({ method: 'PUT', at: this.#at(path), body, maxBytes: maxAnswerBytes, what });
    if (response.status !== 200) throw this.#refusal(response, what);
  }

  async read(path: string, maxBytes: number): Promise<Buffer | null> {
    const what = `${this.name}/${path} cannot be read`;
    const response = await this.#ask({ method: 'GET', at: this.#at(path), maxBytes, what });
    if (response.status === 200) return response.body;
    if (response.status === 404 && !elements(response.body.toString(), 'Code').includes('NoSuchBucket')) return null;
    throw this.#refusal(response, what);
  }

  async list(folder: string): Promise<readonly string[]> {
    const prefix = this.#key(folder === '' ? '' : `${plainPath(folder)}/`);
    const skipped = this.#key('').length;
    const what = `${this.name} cannot be listed`;
    const paths: string[] = [];
    for (let token: string | undefined = ''; token !== undefined;) {
      const query = new URLSearchParams({ 'list-type': '2', prefix });
      if (token !== '') query.set('continuation-token', token);
      const response = await this.#ask({ method: 'GET', at: `?${query}`, maxBytes: maxAnswerBytes, what });
      if (response.status !== 200) throw this.#refusal(response, what);
      const xml = response.body.toString();
      for (const key of elements(xml, 'Key')) paths.push(key.slice(skipped));
      token = elements(xml, 'IsTruncated')[0] === 'true' ? elements(xml, 'NextContinuationToken')[0] : undefined;
    }
    return paths.sort();
  }

  async remove(path: string): Promise<void> {
    const what = `${this.name}/${path} cannot be removed`;
    const response = await this.#ask({ method: 'DELETE', at: this.#at(path), maxBytes: maxAnswerBytes, what });
    if (response.status >= 300 && response.status !== 404) throw this.#refusal(response, what);
  }

  async removeAll(folder: string): Promise<void> {
    for (const path of await this.list(plainPath(folder))) await this.remove(path);
  }

  #key(path: string): string {
    return this.#place.prefix === '' ? path : `${this.#place.prefix}/${path}`;
  }

  #at(path: string): string {
    return `/${this.#key(plainPath(path))}`;
  }

  /** Makes a request until there is an answer that counts. @throws BackupError unreachable, damaged */
  async #ask(request: Request): Promise<Response> {
    const attempts = this.#place.attempts ?? defaults.attempts;
    let reason = '';
    for (let attempt = 0; attempt < attempts; attempt++) {
      if (attempt > 0) await sleep(firstPauseMs * 2 ** attempt * (0.5 + Math.random()));
      try {
        const response = await this.#once(request);
        if (!isBusy(response.status)) return response;
        reason = `status ${response.status} ${elements(response.body.toString(), 'Code')[0] ?? ''}`;
      } catch (error) {
        if (error instanceof BackupError) throw error;
        reason = silence(error);
      }
    }
    const advice = 'does it run, is this the right endpoint, and is the way to it open?';
    throw new BackupError('unreachable', `${request.what}: ${this.#place.endpoint}: ${reason}: ${advice}`);
  }

  async #once(request: Request): Promise<Response> {
    const { endpoint, bucket, timeoutMs = defaults.timeoutMs } = this.#place;
    const { method, at, body } = request;
    const signal = AbortSignal.timeout(timeoutMs);
    const sha256 = createHash('sha256')
      .update(body ?? '')
      .digest('hex');
    const response = await this.#client.fetch(`${endpoint}/${bucket}${at}`, {
      method,
      headers: { 'x-amz-content-sha256': sha256 },
      ...(body === undefined ? {} : { body: new Uint8Array(body) }),
      signal,
    });
    return { status: response.status, body: await bodyOf(response, request) };
  }

  /** What S3 said. */
  #refusal({ status, body }: Response, what: string): BackupError {
    const xml = body.toString();
    const code = elements(xml, 'Code')[0] ?? `status ${status}`;
    const advice =
      code === 'NoSuchBucket'
        ? `there is no bucket ${this.#place.bucket}: make it first`
        : status === 401 || status === 403
          ? 'look at AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and what they may do'
          : (elements(xml, 'Message')[0] ?? '');
    return new BackupError('storage', `${what}: ${code}: ${advice}`);
  }
}

/** Why a request had no answer: fetch hides it in the cause. */
const silence = (error: unknown): string => {
  if (error instanceof Error && error.name === 'TimeoutError') return 'no answer in time';
  const cause = error instanceof Error ? error.cause : undefined;
  return cause === undefined ? reasonOf(error) : reasonOf(cause);
};
