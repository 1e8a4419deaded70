import type { Request, Response, Router } from 'express';
import { z } from 'zod';
import { filterSource } from '../../fetch/filter-source.ts';
import { parseSourceFilter, sourceJson, type SourceFilter, wholeSource } from '../../query/parse-source-filter.ts';
import type { WriteOutcome } from '../../primary/write-item.ts';
import { badRequest } from '../../search-error.ts';
import { newId, type WriteRequest } from '../document-writer.ts';
import type { Gateway } from '../gateway.ts';
import { handler } from '../handler.ts';
import { errorBody } from '../http-error.ts';
import { bodyJson, bodyText, parameter, pathPart, wholeNumber } from '../request-body.ts';

/** Documents asked for in one `_mget`. */
const maxMultiGet = 10_000;

function sourceParameters(request: Request): SourceFilter {
  const list = (name: string): string[] | undefined => parameter(request, name)?.split(',');
  const includes = list('_source_includes') ?? list('_source_include');
  const excludes = list('_source_excludes') ?? list('_source_exclude');
  const source = parameter(request, '_source');
  if (source === 'false' || source === 'true') return parseSourceFilter(source === 'true');
  return parseSourceFilter({ includes: includes ?? source?.split(',') ?? [], excludes: excludes ?? [] });
}

function conditions(request: Request): Partial<WriteRequest> {
  const ifSeqNo = wholeNumber(request, 'if_seq_no');
  const ifPrimaryTerm = wholeNumber(request, 'if_primary_term');
  const version = wholeNumber(request, 'version');
  if ((ifSeqNo === undefined) !== (ifPrimaryTerm === undefined)) {
    throw badRequest(
      'action_request_validation_exception',
      'Validation Failed: 1: ifSeqNo and ifPrimaryTerm must be set together;',
    );
  }
  if (parameter(request, 'routing') !== undefined) {
    throw badRequest(
      'illegal_argument_exception',
      'custom routing is not supported: a document belongs to crc32(_id) mod shards',
    );
  }
  if (version !== undefined && parameter(request, 'version_type') !== 'external') {
    throw badRequest(
      'action_request_validation_exception',
      'Validation Failed: 1: internal versioning can not be used for optimistic concurrency control. Please use `if_seq_no` and `if_primary_term` instead;',
    );
  }
  return {
    ...(ifSeqNo !== undefined && ifPrimaryTerm !== undefined && { ifSeqNo, ifPrimaryTerm }),
    ...(version !== undefined && { externalVersion: version }),
  };
}

function answerWrite(response: Response, index: string, id: string, outcome: WriteOutcome): void {
  if (!outcome.ok) {
    response.status(outcome.status).json(errorBody(outcome.status, outcome.type, outcome.reason));
    return;
  }
  const { result, version, seqNo, primaryTerm } = outcome;
  response.status(result === 'created' ? 201 : result === 'not_found' ? 404 : 200).json({
    _index: index,
    _id: id,
    _version: version,
    result,
    _shards: { total: 1, successful: 1, failed: 0 },
    _seq_no: seqNo,
    _primary_term: primaryTerm,
  });
}

async function write(
  gateway: Gateway,
  request: Request,
  response: Response,
  item: { kind: WriteRequest['kind']; id: string },
): Promise<void> {
  const index = pathPart(request, 'index');
  const id = item.id.toWellFormed();
  const source = item.kind === 'delete' ? undefined : bodyText(request);
  if (source !== undefined && source.trim() === '') throw badRequest('parse_exception', 'request body is required');
  const wanted: WriteRequest = { ...item, id, ...(source !== undefined && { source }), ...conditions(request) };
  const [outcome] = await gateway.writer.write(gateway.route(index), [wanted]);
  if (outcome !== undefined) answerWrite(response, index, id, outcome);
}

function kindOf(request: Request): 'index' | 'create' {
  const type = parameter(request, 'op_type') ?? 'index';
  if (type === 'index' || type === 'create') return type;
  throw badRequest('illegal_argument_exception', `opType must be 'create' or 'index', found: [${type.slice(0, 20)}]`);
}

/** Single documents. */
export function documentRoutes(router: Router, gateway: Gateway): void {
  for (const method of ['put', 'post'] as const) {
    router[method](
      '/:index/_doc/:id',
      handler((request, response) =>
        write(gateway, request, response, { kind: kindOf(request), id: pathPart(request, 'id') }),
      ),
    );
    router[method](
      '/:index/_create/:id',
      handler((request, response) =>
        write(gateway, request, response, { kind: 'create', id: pathPart(request, 'id') }),
      ),
    );
  }
  router.post(
    '/:index/_doc',
    handler((request, response) => write(gateway, request, response, { kind: kindOf(request), id: newId() })),
  );
  router.post(
    '/:index/_update/:id',
    handler((request, response) => write(gateway, request, response, { kind: 'update', id: pathPart(request, 'id') })),
  );
  router.delete(
    '/:index/_doc/:id',
    handler((request, response) => write(gateway, request, response, { kind: 'delete', id: pathPart(request, 'id') })),
  );
  readRoutes(router, gateway);
}

function readRoutes(router: Router, gateway: Gateway): void {
  router.get(
    '/:index/_doc/:id',
    handler(async (request, response) => {
      const route = gateway.route(pathPart(request, 'index'));
      const id = pathPart(request, 'id').toWellFormed();
      const filter = sourceParameters(request);
      const [document] = await gateway.reader.get(route, [id]);
      response.status(document === null ? 404 : 200).json(documentJson(route.index, id, document ?? null, filter));
    }),
  );
  router.get(
    '/:index/_source/:id',
    handler(async (request, response) => {
      const route = gateway.route(pathPart(request, 'index'));
      const id = pathPart(request, 'id').toWellFormed();
      const [document] = await gateway.reader.get(route, [id]);
      if (document === null || document === undefined) {
        response
          .status(404)
          .json(errorBody(404, 'resource_not_found_exception', `Document not found [${route.index}]/[${id}]`));
      } else {
        response.json(filterSource(document.source, sourceParameters(request)));
      }
    }),
  );
  for (const path of ['/:index/_mget', '/_mget']) {
    router.get(
      path,
      handler((request, response) => multiGet(gateway, request, response)),
    );
    router.post(
      path,
      handler((request, response) => multiGet(gateway, request, response)),
    );
  }
}

type Found = Awaited<ReturnType<Gateway['reader']['get']>>[number];

function documentJson(index: string, id: string, document: Found, filter: SourceFilter): object {
  if (document === null) return { _index: index, _id: id, found: false };
  const { version, seqNo, primaryTerm, source } = document;
  const meta = { _index: index, _id: id, _version: version, _seq_no: seqNo, _primary_term: primaryTerm, found: true };
  return filter.show ? { ...meta, _source: filterSource(source, filter) } : meta;
}

const documentId = z.union([z.string(), z.number().transform(String)]);
const multiGetBody = z.strictObject({
  ids: z.array(documentId).max(maxMultiGet).optional(),
  docs: z
    .array(z.strictObject({ _id: documentId, _index: z.string().optional(), _source: sourceJson.optional() }))
    .max(maxMultiGet)
    .optional(),
});

interface Wanted {
  readonly index: string;
  readonly id: string;
  readonly filter: SourceFilter;
}

/** The documents that the body of an `_mget` names. Throws bad-request. */
function wantedDocuments(request: Request): Wanted[] {
  const parsed = multiGetBody.safeParse(bodyJson(request) ?? {});
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw badRequest('parsing_exception', `[_mget] ${issue?.path.join('.')}: ${issue?.message}`);
  }
  const { docs = [], ids = [] } = parsed.data;
  const index = pathPart(request, 'index');
  const wanted = docs.map((doc): Wanted => ({
    index: doc._index ?? index,
    id: doc._id.toWellFormed(),
    filter: parseSourceFilter(doc._source),
  }));
  for (const one of ids) wanted.push({ index, id: one.toWellFormed(), filter: wholeSource });
  if (wanted.length > 0) return wanted;
  throw badRequest('action_request_validation_exception', 'Validation Failed: 1: no documents to get;');
}

async function multiGet(gateway: Gateway, request: Request, response: Response): Promise<void> {
  const wanted = wantedDocuments(request);
  const docs: object[] = [];
  for (const [index, places] of Map.groupBy(wanted.keys(), (place) => (wanted[place] as Wanted).index)) {
    const route = gateway.route(index);
    const asked = places.map((place) => wanted[place] as Wanted);
    const found = await gateway.reader.get(
      route,
      asked.map(({ id }) => id),
    );
    for (const [i, { id, filter }] of asked.entries()) {
      docs[places[i] as number] = documentJson(route.index, id, found[i] ?? null, filter);
    }
  }
  response.json({ docs });
}
