import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dbShards } from '../kinds.ts';
import { OperatedCluster, until } from '../testing/operated-cluster.ts';

let cluster: OperatedCluster;

const intake = (from: string, phase: 'snapshot' | 'log' | 'open') => ({ from, phase });

/** Makes a new half of `app` and brings it to where it follows the log. */
const beginSplit = async (name: string, at: string, range: { start: string; end: string; epoch: number }) => {
  await cluster.create(name, { replicas: 1, splitFrom: { shard: 'app', at } });
  await cluster.untilReason(name, 'Ready', 'TakingOver');
  await until(`a replica of ${name}`, async () => cluster.fakes.logs.has(`db/${name}`));
  cluster.say('app', range);
  cluster.say(name, { start: at, end: at, epoch: range.epoch + 1, intake: intake('app', 'log') });
  await cluster.untilReason(name, 'Splitting', 'Following');
};

beforeAll(async () => {
  cluster = await OperatedCluster.start();
  await cluster.create('app', { replicas: 1 });
  // larger than its limit: looked at in the last test
  await cluster.create('big', { database: 'big', replicas: 1, split: { above: '1Mi' } });
  await until('a replica of big', async () => cluster.fakes.logs.has('db/big'));
  Object.assign(cluster.fakes.logs.get('db/big') ?? {}, { bytes: 3_000_000 });
}, 120_000);

afterAll(() => cluster?.stop());

describe('a DBShard that is split', () => {
  it('has the range of its spec before anything else is known', async () => {
    await cluster.untilReason('app', 'Ready', 'Serving');
    expect((await cluster.shard('app')).status?.range).toEqual({ start: '', end: '', epoch: 0 });
    expect(await cluster.entry('app')).toMatchObject({ start: '', end: '', epoch: 0, serves: true, splitFrom: null });
  });

  it('tells the story on both resources and in the directory, with ranges that fit all the time', async () => {
    const misfits = await cluster.watchRanges();
    await cluster.create('half', { replicas: 1, splitFrom: { shard: 'app', at: 'm' } });
    await cluster.untilReason('half', 'Ready', 'TakingOver');
    expect(await cluster.entry('half')).toMatchObject({ serves: false, splitFrom: { shard: 'app', at: 'm' } });
    expect((await cluster.shard('half')).status?.range).toBeUndefined();
    await until('a replica', async () => cluster.fakes.logs.has('db/half'));

    const shows = async (phase: string): Promise<void> => {
      await cluster.untilReason('half', 'Splitting', phase);
      await cluster.untilReason('app', 'Splitting', phase);
      const [app, half] = await Promise.all([cluster.shard('app'), cluster.shard('half')]);
      expect(app.status?.split).toMatchObject({ to: 'half', phase });
      expect(half.status?.split).toMatchObject({ from: 'app', phase });
      expect(app.status?.conditions?.find(({ type }) => type === 'Ready')?.status).toBe('True');
    };
    await shows('Waiting');
    cluster.say('half', { start: 'm', end: 'm', epoch: 1, intake: intake('app', 'snapshot') });
    await shows('Copying');
    cluster.say('half', { start: 'm', end: 'm', epoch: 1, intake: intake('app', 'log') });
    await shows('Following');
    cluster.say('app', { start: '', end: 'm', epoch: 1, handed: { to: 'half', start: 'm', end: '' } });
    await shows('HandedOver');
    expect((await cluster.condition('half', 'Ready'))?.reason).toBe('TakingOver');
    await until('the shorter range is published', async () => (await cluster.entry('app'))?.end === 'm');
    cluster.say('half', { start: 'm', end: '', epoch: 1, intake: intake('app', 'open') });
    await shows('Open');
    await cluster.untilReason('half', 'Ready', 'Serving');
    const entry = await until('its range is published', async () => {
      const found = await cluster.entry('half');
      return found?.serves ? found : undefined;
    });
    expect(entry).toMatchObject({ start: 'm', end: '', epoch: 1 });
    cluster.say('app', { start: '', end: 'm', epoch: 1 });
    cluster.say('half', { start: 'm', end: '', epoch: 1 });
    await until('it is over', async () => {
      const both = await Promise.all([cluster.shard('app'), cluster.shard('half')]);
      return both.every(({ status }) => status?.split === undefined);
    });
    expect((await cluster.condition('app', 'RangeConsistent'))?.reason).toBe('RangesFit');
    expect(await misfits()).toEqual([]);
  }, 90_000);

  it('keeps its range in status and directory when an operator starts that hears nobody', async () => {
    await cluster.stopOperator();
    const members = ['app', 'half'].map(async (name) => (await cluster.shard(name)).status?.members ?? []);
    const all = (await Promise.all(members)).flat().map(({ pod }) => pod);
    for (const pod of all) cluster.fakes.killProcess(pod);
    await cluster.startOperator();
    for (const name of ['app', 'half']) {
      // a change that its next plan has to answer
      await cluster.client.merge(dbShards, { namespace: 'default', name }, { spec: { storage: { policy: 'Delete' } } });
      await until(`${name} is planned`, async () => {
        const { metadata, status } = await cluster.shard(name);
        return status?.observedGeneration === metadata.generation;
      });
    }
    expect(await cluster.page('/live/db/default/app')).toMatchObject({ members: [] });
    expect((await cluster.shard('app')).status?.range).toEqual({ start: '', end: 'm', epoch: 1 });
    expect(await cluster.entry('app')).toMatchObject({ end: 'm', epoch: 1 });
    expect(await cluster.entry('half')).toMatchObject({ start: 'm', epoch: 1, serves: true });
    for (const pod of all) cluster.fakes.reviveProcess(pod);
    await cluster.untilReason('app', 'Ready', 'Serving');
    await cluster.untilReason('half', 'Ready', 'Serving');
  }, 60_000);

  it.each([
    ['that does not exist', 'lost', { splitFrom: { shard: 'nobody' } }, 'SourceMissing', /there is no DBShard nobody/],
    [
      'of another database',
      'alien',
      { database: 'x', splitFrom: { shard: 'app' } },
      'OtherDatabase',
      /database app, not x/,
    ],
    ['at a key that it has not', 'outside', { splitFrom: { shard: 'app', at: 'z' } }, 'KeyOutside', /below "m"/],
  ])('%s makes nothing, and says what to do', async (...row) => {
    const [, name, spec, reason, message] = row;
    await cluster.create(name, { replicas: 1, ...spec });
    const found = await cluster.untilReason(name, 'Splitting', reason);
    expect(found).toMatchObject({ status: 'False', message: expect.stringMatching(message) as string });
    expect(await cluster.condition(name, 'Ready')).toMatchObject({ status: 'False', reason });
    expect(await cluster.podsOf(name)).toBe(0);
    expect(await cluster.entry(name)).toBeUndefined();
    expect((await cluster.condition('app', 'RangeConsistent'))?.status).toBe('True');
    await cluster.delete(name);
    await cluster.untilGone(name);
  });

  it('waits for the one before it', async () => {
    await beginSplit('first', 'f', { start: '', end: 'm', epoch: 1 });
    await cluster.create('second', { replicas: 1, splitFrom: { shard: 'app', at: 'g' } });
    const found = await cluster.untilReason('second', 'Splitting', 'SourceBusy');
    expect(found.message).toMatch(/app is being split with first/);
    expect(await cluster.podsOf('second')).toBe(0);
    await cluster.delete('second');
    await cluster.untilGone('second');
  }, 60_000);

  it('is given up by deleting the new shard before the hand-over', async () => {
    await cluster.delete('first');
    await cluster.untilGone('first');
    await until('the source has forgotten', async () => (await cluster.shard('app')).status?.split === undefined);
    expect(await cluster.entry('first')).toBeUndefined();
    expect(await cluster.entry('app')).toMatchObject({ start: '', end: 'm', epoch: 1 });
    expect((await cluster.condition('app', 'Ready'))?.status).toBe('True');
  }, 60_000);

  it('keeps both shards from the hand-over on until both are done, and the new one until that is confirmed', async () => {
    await beginSplit('late', 'f', { start: '', end: 'm', epoch: 1 });
    cluster.say('app', { start: '', end: 'f', epoch: 2, handed: { to: 'late', start: 'f', end: 'm' } });
    await cluster.untilReason('late', 'Splitting', 'HandedOver');
    await cluster.delete('late');
    const held = await cluster.untilReason('late', 'DeletionHeld', 'KeysUnderWay');
    expect(held.message).toMatch(/\["f", "m"\) of app is on its way here/);
    expect(await cluster.podsOf('late')).toBe(1);
    cluster.say('late', { start: 'f', end: 'm', epoch: 2, intake: intake('app', 'open') });
    await cluster.untilReason('late', 'Ready', 'Serving');
    cluster.say('app', { start: '', end: 'f', epoch: 2 });
    cluster.say('late', { start: 'f', end: 'm', epoch: 2 });
    await cluster.untilReason('late', 'DeletionHeld', 'KeysTakenOver');
    expect((await cluster.condition('app', 'RangeConsistent'))?.status).toBe('True');
    const annotations = { 'quartet.dev/delete-keys': 'true' };
    await cluster.client.patchMetadata(dbShards, { namespace: 'default', name: 'late' }, { annotations });
    await cluster.untilGone('late');
    await cluster.untilReason('app', 'RangeConsistent', 'Gap');
  }, 90_000);

  it('tells people what its pods say now, without a write', async () => {
    const before = (await cluster.shard('app')).metadata.resourceVersion;
    expect(await cluster.page('/live/db/default/app')).toMatchObject({
      members: [{ beat: { role: 'db', resource: 'app', replica: { state: 'primary', range: { epoch: 2 } } } }],
      log: { entries: expect.any(Number) as number },
    });
    expect(await cluster.page('/live/db/default/nobody')).toEqual({ members: [], log: null });
    expect((await cluster.shard('app')).metadata.resourceVersion).toBe(before);
  });

  it('is split by the operator when it stays larger than its resource allows', async () => {
    const found = await until('a new half of big', () => cluster.shard('big-upper'), 120_000);
    expect(found.spec).toMatchObject({
      database: 'big',
      replicas: 1,
      split: { above: '1Mi' },
      splitFrom: { shard: 'big' },
      range: { start: '', end: '' },
    });
    await cluster.untilReason('big-upper', 'Splitting', 'Waiting');
  }, 150_000);

  it('settles: then no request is made at all', async () => {
    const before = await until('no request for a second', async () => {
      const first = await cluster.requests();
      await new Promise((resolve) => setTimeout(resolve, 1000));
      return (await cluster.requests()) === first ? first : undefined;
    });
    await new Promise((resolve) => setTimeout(resolve, 3000));
    expect(await cluster.requests()).toBe(before);
  });
});
