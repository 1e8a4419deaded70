import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../../../local/processes/until.ts';
import { answerStatus } from '../batch/answer-batch.ts';
import { startDbCluster, type DbCluster } from '../testing/cluster.ts';
import { MemberClient } from '../testing/member-client.ts';
import { plain, rawClient } from '../testing/raw-client.ts';

const dir = mkdtempSync(join(tmpdir(), 'quartet-split-'));
let cluster: DbCluster;

beforeAll(async () => {
  cluster = await startDbCluster({ dir, members: 1 });
});

afterAll(async () => {
  await cluster.stop();
  rmSync(dir, { recursive: true, force: true });
});

test('clients of a gateway see a split as a slower answer, if at all; what they watched has changed', async () => {
  const [counting, watching] = [await rawClient(cluster.port), await rawClient(cluster.port)];
  const stop = new AbortController();
  const replies: unknown[] = [];
  const load = (async () => {
    for (let n = 0; !stop.signal.aborted; n++)
      replies.push(plain(await counting.command('INCR', `${'wy'[n % 2]}:count`)));
  })();
  for (const words of [
    ['SET', 'y:watched', '1'],
    ['WATCH', 'y:watched', 'y:absent'],
    ['GET', 'y:watched'],
  ]) {
    await watching.command(...words);
  }
  await cluster.addShard({ name: 'app-1', start: '', end: '', splitFrom: { shard: 'app-0', at: 'x' } }, 1);
  await cluster.makeFirstPrimary('app-1');
  await until({ what: 'the split to end', timeoutMs: 60_000, everyMs: 2 }, () => {
    const range = cluster.report('app-1-m0')?.range;
    return range !== undefined && range.epoch > 0 && range.intake === undefined ? true : undefined;
  });
  const before = replies.length;
  await until({ what: 'clients to go on', timeoutMs: 20_000 }, () =>
    replies.length > before + 100 ? true : undefined,
  );
  stop.abort();
  await load;
  expect(replies).toEqual(replies.map((_, n) => Math.floor(n / 2) + 1));
  await watching.command('MULTI');
  await watching.command('SET', 'y:watched', '2');
  expect(await watching.command('EXEC')).toBeNull();
  expect(plain(await watching.command('GET', 'y:watched'))).toBe('1');
  counting.close();
  watching.close();
});

test('nobody empties a shard that takes keys over', async () => {
  const client = await rawClient(cluster.port);
  await client.command('SET', 'b:kept', '1');
  await cluster.addShard({ name: 'app-2', start: '', end: '', splitFrom: { shard: 'nowhere', at: 'b' } }, 1);
  await cluster.makeFirstPrimary('app-2');
  const direct = new MemberClient(cluster.operator.nats);
  expect(await direct.command('app-2', 'app-2-m0', 'FLUSHALL')).toEqual({ status: answerStatus.moved });
  expect(plain(await client.command('GET', 'b:kept'))).toBe('1');
  client.close();
});
