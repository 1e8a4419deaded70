import { performance } from 'node:perf_hooks';
import type { Request, Response, Router } from 'express';
import type { Counter, Histogram } from 'prom-client';
import { badRequest } from '../../search-error.ts';
import { runBulk } from '../bulk.ts';
import type { Gateway } from '../gateway.ts';
import { handler } from '../handler.ts';
import { parseBulk } from '../parse-bulk.ts';
import { bodyJson, bodyText, flag, parameter, pathPart } from '../request-body.ts';

/** What the routes of searches count. */
export interface SearchMetrics {
  readonly seconds: Histogram<'source'>;
  readonly partial: Counter;
}

/** Parameters of `_search` that change nothing here. */
const ignored = [
  'allow_no_indices',
  'allow_partial_search_results',
  'batched_reduce_size',
  'ccs_minimize_roundtrips',
  'cancel_after_time_interval',
  'error_trace',
  'expand_wildcards',
  'human',
  'ignore_unavailable',
  'index',
  'max_concurrent_shard_requests',
  'preference',
  'pretty',
  'request_cache',
  'search_type',
  'typed_keys',
];
/** Parameters that stand for parts of the body. */
const intoBody = ['from', 'size', 'timeout', 'track_total_hits', 'version', 'seq_no_primary_term'] as const;
const queryParameters = ['q', 'df', 'default_operator', 'analyze_wildcard', 'lenient'];
const known = new Set<string>([
  ...ignored,
  ...intoBody,
  ...queryParameters,
  'sort',
  '_source',
  '_source_includes',
  '_source_excludes',
  'rest_total_hits_as_int',
]);

type Json = Record<string, unknown>;

function checkParameters(request: Request): void {
  for (const name of Object.keys(request.query)) {
    if (!known.has(name)) {
      throw badRequest(
        'illegal_argument_exception',
        `request [${request.path}] contains unrecognized parameter: [${name.slice(0, 100)}]`,
      );
    }
  }
}

/** `?q=` as a query, by the language of `simple_query_string`. */
function queryParameter(request: Request): Json | undefined {
  const text = parameter(request, 'q');
  if (text === undefined) return undefined;
  const field = parameter(request, 'df');
  const operator = parameter(request, 'default_operator');
  return {
    simple_query_string: {
      query: text,
      ...(field !== undefined && { fields: [field] }),
      ...(operator !== undefined && { default_operator: operator }),
    },
  };
}

const primitive = (text: string): unknown => (text === 'true' ? true : text === 'false' ? false : text);

/** The body of a search, with what the URL adds. */
function searchBody(request: Request): unknown {
  checkParameters(request);
  const given = bodyJson(request) ?? {};
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw badRequest('parsing_exception', 'Expected [START_OBJECT] as the body of a search');
  }
  const body: Json = { ...given };
  const query = queryParameter(request);
  if (query !== undefined) body['query'] = query;
  for (const name of intoBody) {
    const value = parameter(request, name);
    if (value !== undefined) body[name] = primitive(value);
  }
  const sort = parameter(request, 'sort');
  if (sort !== undefined) body['sort'] = sort.split(',');
  sourceFromUrl(request, body);
  return body;
}

function sourceFromUrl(request: Request, body: Json): void {
  const source = parameter(request, '_source');
  const includes = parameter(request, '_source_includes')?.split(',');
  const excludes = parameter(request, '_source_excludes')?.split(',');
  if (source !== undefined)
    body['_source'] = source === 'true' || source === 'false' ? source === 'true' : source.split(',');
  if (includes === undefined && excludes === undefined) return;
  body['_source'] = { ...(includes !== undefined && { includes }), ...(excludes !== undefined && { excludes }) };
}

async function search(gateway: Gateway, metrics: SearchMetrics, request: Request, response: Response): Promise<void> {
  const started = performance.now();
  const route = gateway.route(pathPart(request, 'index'));
  const answer = await gateway.searches.search(route, searchBody(request));
  const elapsed = performance.now() - started;
  metrics.seconds.observe({ source: answer.source }, elapsed / 1000);
  if (answer.body.includes('"failures":')) metrics.partial.inc();
  response.set('X-Quartet-Source', answer.source);
  if (answer.source === 'cache') response.set('X-Quartet-Cache-Hits', String(answer.cacheHits));
  // the answer's text may come from the cache: the time goes in front of it
  const body = `{"took":${Math.round(elapsed)},${answer.body.slice(1)}`;
  response.type('application/json').send(flag(request, 'rest_total_hits_as_int') ? withPlainTotal(body) : body);
}

function withPlainTotal(body: string): string {
  const json = JSON.parse(body) as { hits: { total?: { value: number } | number } };
  if (typeof json.hits.total === 'object') json.hits.total = json.hits.total.value;
  return JSON.stringify(json);
}

async function count(gateway: Gateway, request: Request, response: Response): Promise<void> {
  const route = gateway.route(pathPart(request, 'index'));
  const body = (bodyJson(request) ?? {}) as Json;
  const unknown = Object.keys(body).find((key) => key !== 'query');
  if (unknown !== undefined) throw badRequest('parsing_exception', `request does not support [${unknown}]`);
  response.json(await gateway.searches.count(route, queryParameter(request) ?? body['query']));
}

async function bulk(gateway: Gateway, request: Request, response: Response): Promise<void> {
  const started = performance.now();
  const index = pathPart(request, 'index');
  const items = parseBulk(bodyText(request), index === '' ? null : index);
  const result = await runBulk(items, gateway.writer, (name) => gateway.route(name));
  response.json({ took: Math.round(performance.now() - started), ...result });
}

/** Searches, counts and bulk writes. */
export function searchRoutes(router: Router, gateway: Gateway, metrics: SearchMetrics): void {
  for (const method of ['get', 'post'] as const) {
    router[method](
      '/:index/_search',
      handler((request, response) => search(gateway, metrics, request, response)),
    );
    router[method](
      '/:index/_count',
      handler((request, response) => count(gateway, request, response)),
    );
  }
  for (const method of ['put', 'post'] as const) {
    router[method](
      ['/_bulk', '/:index/_bulk'],
      handler((request, response) => bulk(gateway, request, response)),
    );
  }
}
