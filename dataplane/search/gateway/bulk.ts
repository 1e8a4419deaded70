import type { WriteOutcome } from '../primary/write-item.ts';
import { errorBodyOf } from './http-error.ts';
import type { DocumentWriter } from './document-writer.ts';
import type { IndexRoute } from './index-map.ts';
import type { BulkItem } from './parse-bulk.ts';

/** What became of one operation, as the client sees it. */
type ItemJson = Record<string, object>;

function outcomeJson({ action, index, id }: BulkItem, outcome: WriteOutcome): ItemJson {
  if (!outcome.ok) {
    const { status, type, reason } = outcome;
    return { [action]: { _index: index, _id: id, status, error: { type, reason, index } } };
  }
  const { result, version, seqNo, primaryTerm } = outcome;
  const status = result === 'created' ? 201 : result === 'not_found' ? 404 : 200;
  return {
    [action]: {
      _index: index,
      _id: id,
      _version: version,
      result,
      _shards: { total: 1, successful: 1, failed: 0 },
      _seq_no: seqNo,
      _primary_term: primaryTerm,
      status,
    },
  };
}

const refusal = (status: number, type: string, reason: string): WriteOutcome => ({
  ok: false,
  retry: 'no',
  status,
  type,
  reason,
});

/** Carries out bulk operations; one outcome each, in order. `routeOf`: throws for an index that no SearchShard provides. */
export async function runBulk(
  items: readonly BulkItem[],
  writer: DocumentWriter,
  routeOf: (index: string) => IndexRoute,
): Promise<{ errors: boolean; items: ItemJson[] }> {
  const outcomes: WriteOutcome[] = items.map(({ reason }) => refusal(400, 'illegal_argument_exception', reason ?? ''));
  const byIndex = new Map<string, number[]>();
  for (const [place, { index, request }] of items.entries()) {
    if (request === null) continue;
    const own = byIndex.get(index);
    if (own === undefined) byIndex.set(index, [place]);
    else own.push(place);
  }
  await Promise.all(
    [...byIndex].map(async ([index, places]) => {
      const requests = places.flatMap((place) => items[place]?.request ?? []);
      const results = await writeOrRefuse(index, writer, routeOf, requests);
      for (const [i, place] of places.entries()) outcomes[place] = results[i] as WriteOutcome;
    }),
  );
  return {
    errors: outcomes.some(({ ok }) => !ok),
    items: items.map((item, place) => outcomeJson(item, outcomes[place] as WriteOutcome)),
  };
}

async function writeOrRefuse(
  index: string,
  writer: DocumentWriter,
  routeOf: (index: string) => IndexRoute,
  requests: Parameters<DocumentWriter['write']>[1],
): Promise<WriteOutcome[]> {
  try {
    return await writer.write(routeOf(index), requests);
  } catch (error) {
    const { status, error: cause } = errorBodyOf(error);
    return requests.map(() => refusal(status, cause.type, cause.reason));
  }
}
