import type { ServerResponse } from 'node:http';
import { cacheStatus, type CacheOutcome } from '../policy/cache-status.ts';
import { isStrong, stronglyEqual } from '../policy/entity-tag.ts';
import { fieldNames, fieldValue, firstLine, type RawFields, withoutFields } from '../policy/fields.ts';
import { isNotModified, notModifiedFields, type Representation } from '../policy/preconditions.ts';
import { type ByteRange, contentRange, evaluateRange } from '../policy/ranges.ts';
import { timeToLive } from '../policy/reuse.ts';
import { currentAge, type StoredResponse } from '../policy/stored-response.ts';
import type { EdgeRequest } from './edge-request.ts';
import { multipartBody } from './multipart.ts';

/** Who answers. */
export interface Identity {
  readonly id: string;
  /** `id` as it stands in Cache-Status. */
  readonly cacheName: string;
}

/** One request of a client and where its answer goes. */
export interface Client {
  readonly request: EdgeRequest;
  readonly response: ServerResponse;
  /** `performance.now()` when it arrived. */
  readonly startedAt: number;
}

/** Fields that say where an answer came from, which edge gave it and how long that took. */
export function provenance(identity: Identity, outcome: CacheOutcome, startedAt: number): string[] {
  const source = outcome.hit ? 'cache' : 'origin';
  return provenanceFields(identity, cacheStatus(identity.cacheName, outcome), timing(source, startedAt));
}

const provenanceFields = (identity: Identity, status: string, timing: string): string[] => [
  'Cache-Status',
  status,
  'X-Quartet-Edge',
  identity.id,
  'Server-Timing',
  timing,
];

function timing(source: 'cache' | 'origin', startedAt: number): string {
  const elapsed = performance.now() - startedAt;
  return `edge;desc=${source};dur=${elapsed < 1 ? '0' : elapsed.toFixed(1)}`;
}

/** A reason phrase goes out as it came, but for characters that would break the line. */
const cleanReason = (reason: string): string => reason.replace(/[^\t -~\u0080-\u00ff]/g, '');

/** Writes a head; true when a body may follow. */
function writeHead(client: Client, status: number, reason: string, fields: readonly string[]): boolean {
  const { response, request } = client;
  if (response.destroyed || response.headersSent) return false;
  response.writeHead(status, cleanReason(reason), fields as string[]);
  return request.method !== 'HEAD' && status !== 204 && status !== 304;
}

function sendBody(client: Client, head: { status: number; reason: string; fields: readonly string[] }, body: Buffer) {
  if (writeHead(client, head.status, head.reason, head.fields)) client.response.end(body);
  else client.response.end();
}

/** Does If-Range let the range count (RFC 9110 section 13.1.5)? */
function rangeCounts(request: EdgeRequest, stored: StoredResponse): boolean {
  if (request.ifRange === undefined) return true;
  if (isStrong(request.ifRange)) return stored.etag !== undefined && stronglyEqual(request.ifRange, stored.etag);
  return request.ifRange === stored.lastModified;
}

const bodyFields = new Set(['content-length', 'content-range']);

/** The answer of a stored response to one that asked for bytes of it; undefined when it gets the whole. */
function rangeAnswer(client: Client, stored: StoredResponse, extra: readonly string[]): (() => void) | undefined {
  const { request } = client;
  if (request.range === undefined || request.method !== 'GET' || stored.status !== 200) return undefined;
  if (!rangeCounts(request, stored)) return undefined;
  const length = stored.body.byteLength;
  const outcome = evaluateRange(request.range, length);
  if (outcome.kind === 'whole') return undefined;
  if (outcome.kind === 'unsatisfiable') {
    const fields = ['Content-Range', `bytes */${length}`, 'Content-Length', '0', ...extra];
    return () => sendBody(client, { status: 416, reason: 'Range Not Satisfiable', fields }, Buffer.alloc(0));
  }
  const base = [...withoutFields(stored.fields, bodyFields), ...extra];
  const [only] = outcome.ranges;
  if (outcome.ranges.length === 1 && only !== undefined) return () => sendPart(client, stored.body, only, length, base);
  const type = fieldValue(stored.fields, 'content-type') ?? 'application/octet-stream';
  const multipart = multipartBody(stored.body, outcome.ranges, type);
  const fields = [...withoutFields(base, new Set(['content-type'])), 'Content-Type', multipart.contentType];
  fields.push('Content-Length', String(multipart.body.byteLength));
  return () => sendBody(client, { status: 206, reason: 'Partial Content', fields }, multipart.body);
}

// oxlint-disable-next-line max-params -- the bytes, the range in them and the length that the client is told
function sendPart(
  client: Client,
  body: Buffer,
  range: ByteRange,
  length: number | undefined,
  base: readonly string[],
): void {
  const bytes = range.last - range.first + 1;
  const fields = [...base, 'Content-Range', contentRange(range, length), 'Content-Length', String(bytes)];
  sendBody(client, { status: 206, reason: 'Partial Content', fields }, body.subarray(range.first, range.last + 1));
}

function hitFields(stored: StoredResponse, identity: Identity, now: number): string[] {
  const second = Math.floor(now / 1000);
  const memo = stored.hitMemo;
  if (memo?.second === second) return memo.fields;
  const status = cacheStatus(identity.cacheName, { hit: true, ttlSeconds: timeToLive(stored, now) });
  const age = String(Math.floor(currentAge(stored, now)));
  const fields = [...stored.fields, 'Age', age, ...provenanceFields(identity, status, 'edge;desc=cache;dur=0')];
  stored.hitMemo = { second, fields };
  return fields;
}

/** The hot path: a fresh response, whole, to a plain GET. */
export function sendHit(client: Client, stored: StoredResponse, identity: Identity, now: number): void {
  const { response } = client;
  response.writeHead(stored.status, stored.reason, hitFields(stored, identity, now));
  response.end(client.request.method === 'HEAD' ? undefined : stored.body);
}

/** True when {@link sendHit} will do. */
export const isPlain = (request: EdgeRequest): boolean =>
  request.range === undefined && request.ifNoneMatch === undefined && request.ifModifiedSince === undefined;

/** Answers from a stored response: 304, 206, 416 or the whole (RFC 9111 section 4.3.2, RFC 9110 section 13.2.2). */
// oxlint-disable-next-line max-params -- who asks, what is there, how it was found, who answers and when
export function sendStored(
  client: Client,
  stored: StoredResponse,
  outcome: CacheOutcome,
  identity: Identity,
  now: number,
): void {
  const { request } = client;
  const age = String(Math.floor(currentAge(stored, now)));
  const extra = ['Age', age, ...provenance(identity, outcome, client.startedAt)];
  if (isNotModified(request, stored)) {
    sendNotModified(client, stored.fields, extra);
    return;
  }
  const part = rangeAnswer(client, stored, extra);
  if (part !== undefined) part();
  else
    sendBody(
      client,
      { status: stored.status, reason: stored.reason, fields: [...stored.fields, ...extra] },
      stored.body,
    );
}

/** Answers a range from a stored part that covers it. */
// oxlint-disable-next-line max-params -- as sendStored, with the range
export function sendStoredPart(
  client: Client,
  stored: StoredResponse,
  range: ByteRange,
  identity: Identity,
  now: number,
): void {
  const first = stored.part?.first ?? 0;
  const outcome: CacheOutcome = { hit: true, ttlSeconds: timeToLive(stored, now) };
  const fields = [
    ...withoutFields(stored.fields, bodyFields),
    'Age',
    String(Math.floor(currentAge(stored, now))),
    ...provenance(identity, outcome, client.startedAt),
    'Content-Range',
    contentRange(range, stored.part?.length),
    'Content-Length',
    String(range.last - range.first + 1),
  ];
  const bytes = stored.body.subarray(range.first - first, range.last - first + 1);
  sendBody(client, { status: 206, reason: stored.reason, fields }, bytes);
}

/** Sends a 304 with the fields that it has to repeat (RFC 9110 section 15.4.5). */
export function sendNotModified(client: Client, fields: RawFields, extra: readonly string[]): void {
  const names = fieldNames(fields);
  const others = new Set([...names].filter((name) => !notModifiedFields.has(name)));
  writeHead(client, 304, 'Not Modified', [...withoutFields(fields, others), ...extra]);
  client.response.end();
}

/** Starts an answer with the origin's head. True when its body shall follow; else the answer is complete. */
export function startFromOrigin(
  client: Client,
  head: { readonly status: number; readonly reason: string; readonly fields: RawFields },
  outcome: CacheOutcome,
  identity: Identity,
): boolean {
  const extra = provenance(identity, outcome, client.startedAt);
  const follows = writeHead(client, head.status, head.reason, [...head.fields, ...extra]);
  if (!follows) client.response.end();
  return follows;
}

/** An answer of the edge's own: plain text, never stored by anyone. */
export function sendOwn(client: Client, answer: OwnAnswer, identity: Identity): void {
  const body = Buffer.from(`${answer.message}\n`);
  const fields = [
    'Content-Type',
    'text/plain; charset=utf-8',
    'Content-Length',
    String(body.byteLength),
    'Cache-Control',
    'no-store',
    ...(answer.fields ?? []),
    ...provenance(identity, answer.outcome, client.startedAt),
  ];
  sendBody(client, { status: answer.status, reason: answer.reason, fields }, body);
}

export interface OwnAnswer {
  readonly status: number;
  readonly reason: string;
  readonly message: string;
  readonly outcome: CacheOutcome;
  readonly fields?: readonly string[];
}

/** A head as preconditions see it: for conditional requests on which nothing was stored. */
export const representationOf = (head: {
  readonly status: number;
  readonly fields: RawFields;
  readonly responseTime: number;
}): Representation => ({
  status: head.status,
  fields: head.fields,
  etag: firstLine(head.fields, 'etag'),
  lastModified: firstLine(head.fields, 'last-modified'),
  responseTime: head.responseTime,
});
