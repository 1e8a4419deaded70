import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RangeReport } from '../../contract/heartbeat.ts';
import { dbShards } from '../kinds.ts';
import type { KubeObject } from '../runtime/object.ts';
import { resource } from '../runtime/resource.ts';
import { OperatedCluster, until } from '../testing/operated-cluster.ts';

interface Event extends KubeObject {
  readonly type: string;
  readonly reason: string;
  readonly note: string;
  readonly regarding: { readonly name: string };
}
const events = resource<Event>('events.k8s.io/v1', 'Event', 'events');

let cluster: OperatedCluster;

/** What the members of two neighbours that meet at `m` say in each phase of a merge. */
const reports = (low: string, up: string) => {
  const taking = (phase: 'snapshot' | 'log' | 'open') => ({ from: up, phase, merge: true });
  const away = { to: low, start: 'm', end: '' };
  return {
    before: { start: '', end: 'm', epoch: 0 },
    copying: { start: '', end: 'm', epoch: 1, intake: taking('snapshot') },
    following: { start: '', end: 'm', epoch: 1, intake: taking('log') },
    open: { start: '', end: '', epoch: 2, intake: taking('open') },
    joined: { start: '', end: '', epoch: 2 },
    gaveUp: { start: '', end: 'm', epoch: 1 },
    keeps: { start: 'm', end: '', epoch: 0 },
    handed: { start: 'm', end: 'm', epoch: 2, handed: away },
    released: (transactions: number) => ({ start: 'm', end: 'm', epoch: 2, transactions }),
  } satisfies Record<string, RangeReport | ((transactions: number) => RangeReport)>;
};

const change = (name: string, spec: object) =>
  cluster.client.merge(dbShards, { namespace: 'default', name }, { spec } as never);

const statusOf = async (name: string) => (await cluster.shard(name)).status;

/** Two neighbours of a database of their own, which serve. */
const makePair = async (database: string): Promise<{ low: string; up: string }> => {
  const [low, up] = [`${database}-low`, `${database}-up`];
  await cluster.create(low, { database, replicas: 1, range: { end: 'm' } });
  await cluster.create(up, { database, replicas: 1, range: { start: 'm' } });
  for (const name of [low, up]) {
    await cluster.untilReason(name, 'Ready', 'Serving');
    await cluster.untilReason(name, 'RangeConsistent', 'RangesFit');
  }
  cluster.say(low, reports(low, up).before);
  cluster.say(up, reports(low, up).keeps);
  return { low, up };
};

/** A pair of which the lower one follows the log of the upper one. */
const beginMerge = async (database: string) => {
  const pair = await makePair(database);
  const said = reports(pair.low, pair.up);
  await change(pair.up, { mergeInto: pair.low });
  await until('it is told', async () => (await cluster.entry(pair.low))?.mergeFrom !== null);
  cluster.say(pair.low, said.following);
  await cluster.untilReason(pair.up, 'Merging', 'Following');
  return { ...pair, said };
};

const eventsOf = async (name: string, reason: string): Promise<readonly string[]> => {
  const { items } = await cluster.client.list(events, { namespace: 'default' });
  return items
    .filter((one) => one.regarding.name === name && one.reason === reason)
    .map(({ type, note }) => `${type}: ${note}`);
};

beforeAll(async () => {
  cluster = await OperatedCluster.start();
}, 120_000);

afterAll(() => cluster?.stop());

describe('two DBShards that are merged', () => {
  it('tell the story on both resources and in the directory, with ranges that fit all the time', async () => {
    const { low, up } = await makePair('app');
    const said = reports(low, up);
    const misfits = await cluster.watchRanges();
    await change(up, { mergeInto: low });
    const shows = async (phase: string, ready: string): Promise<void> => {
      await cluster.untilReason(up, 'Merging', phase);
      await cluster.untilReason(low, 'Merging', phase);
      const keys = { start: 'm', end: '' };
      expect((await statusOf(low))?.merge).toEqual({ from: up, phase, keys });
      expect((await statusOf(up))?.merge).toEqual({ to: low, phase, keys });
      expect((await cluster.condition(low, 'Ready'))?.reason).toBe('Serving');
      expect((await cluster.condition(up, 'Ready'))?.reason).toBe(ready);
    };
    await shows('Waiting', 'Serving');
    await until('the lower shard is told', async () => (await cluster.entry(low))?.mergeFrom?.shard === up);
    cluster.say(low, said.copying);
    await shows('Copying', 'Serving');
    cluster.say(low, said.following);
    await shows('Following', 'Serving');
    cluster.say(up, said.handed);
    await shows('HandedOver', 'Merging');
    await until('the empty range is published', async () => (await cluster.entry(up))?.serves === false);
    expect(await cluster.entry(up)).toMatchObject({ start: 'm', end: 'm', epoch: 2, mergeFrom: null });
    cluster.say(low, said.open);
    await shows('Open', 'Merging');
    await until('the whole range is published', async () => (await cluster.entry(low))?.epoch === 2);
    expect(await cluster.entry(low)).toMatchObject({ start: '', end: '', serves: true, mergeFrom: { shard: up } });
    cluster.say(up, said.released(3));
    cluster.say(low, said.joined);
    const merged = await cluster.untilReason(up, 'Merged', 'Merged');
    expect(merged).toMatchObject({
      status: 'True',
      message: expect.stringMatching(/keys are those of app-low now/) as string,
    });
    await cluster.untilReason(up, 'Ready', 'Merged');
    await until('it is over', async () => (await statusOf(low))?.merge === undefined);
    await until('the lower shard is told', async () => (await cluster.entry(low))?.mergeFrom === null);
    expect((await statusOf(up))?.merge).toEqual({ to: low, phase: 'Merged' });
    expect((await statusOf(up))?.range).toEqual({ start: 'm', end: 'm', epoch: 2 });
    expect(await misfits()).toEqual([]);
    expect(await until('an event', async () => (await eventsOf(up, 'Merged'))[0])).toMatch(/^Normal/);
  }, 120_000);

  it('stay merged when an operator starts that hears nobody', async () => {
    await cluster.stopOperator();
    const pods = ['app-low', 'app-up'].map(async (name) => (await statusOf(name))?.members ?? []);
    const all = (await Promise.all(pods)).flat().map(({ pod }) => pod);
    for (const pod of all) cluster.fakes.killProcess(pod);
    await cluster.startOperator();
    for (const name of ['app-low', 'app-up']) {
      await change(name, { storage: { policy: 'Delete' } });
      await until(`${name} is planned`, async () => {
        const { metadata, status } = await cluster.shard(name);
        return status?.observedGeneration === metadata.generation;
      });
    }
    expect((await statusOf('app-low'))?.range).toEqual({ start: '', end: '', epoch: 2 });
    expect((await statusOf('app-up'))?.merge).toEqual({ to: 'app-low', phase: 'Merged' });
    expect(await cluster.entry('app-low')).toMatchObject({ end: '', epoch: 2, mergeFrom: null });
    expect(await cluster.entry('app-up')).toMatchObject({ serves: false, epoch: 2 });
    await cluster.delete('app-up');
    const held = await cluster.untilReason('app-up', 'DeletionHeld', 'TransactionsOpen');
    expect(held.message).toMatch(/not known .* one of its replicas has to be heard/);
    for (const pod of all) cluster.fakes.reviveProcess(pod);
  }, 60_000);

  it('are one when the upper one is deleted, which waits until no transaction can ask it', async () => {
    const told = async () => (await cluster.condition('app-up', 'DeletionHeld'))?.message.includes('are not over');
    await until('it says what it waits for', told);
    expect(await cluster.podsOf('app-up')).toBe(1);
    cluster.say('app-up', reports('app-low', 'app-up').released(0));
    await cluster.untilGone('app-up');
    await until('its document is gone', async () => (await cluster.entry('app-up')) === undefined);
    await cluster.untilReason('app-low', 'RangeConsistent', 'RangesFit');
    await cluster.untilReason('app-low', 'Ready', 'Serving');
  }, 60_000);
});

describe('a merge', () => {
  it('is given up when mergeInto is taken back, which shows until the lower shard has said so', async () => {
    const { low, up, said } = await beginMerge('back');
    await change(up, { mergeInto: null });
    for (const name of [low, up]) await cluster.untilReason(name, 'Merging', 'GivingUp');
    await until('the lower shard is told', async () => (await cluster.entry(low))?.mergeFrom === null);
    cluster.say(low, said.gaveUp);
    for (const name of [low, up]) {
      await until(`${name} shows no merge`, async () => (await statusOf(name))?.merge === undefined);
      expect(await cluster.condition(name, 'Merging')).toBeUndefined();
      expect((await cluster.condition(name, 'Ready'))?.reason).toBe('Serving');
    }
    expect(await cluster.entry(low)).toMatchObject({ start: '', end: 'm', epoch: 1 });
  }, 60_000);

  it('is taken back by deleting the upper shard, which stays until the lower one has given up', async () => {
    const { low, up, said } = await beginMerge('leave');
    await cluster.delete(up);
    const held = await cluster.untilReason(up, 'DeletionHeld', 'MergeTakenBack');
    expect(held.message).toMatch(/leave-low has to say that it has given up: leave-up keeps its keys then/);
    await until('the lower shard is told', async () => (await cluster.entry(low))?.mergeFrom === null);
    expect(await cluster.podsOf(up)).toBe(1);
    cluster.say(low, said.gaveUp);
    await cluster.untilGone(up);
    await cluster.untilReason(low, 'RangeConsistent', 'Gap');
    expect((await statusOf(low))?.range).toEqual({ start: '', end: 'm', epoch: 1 });
  }, 60_000);

  it('that came to the hand-over all the same goes on, and the upper shard goes after it', async () => {
    const { low, up, said } = await beginMerge('late');
    await cluster.delete(up);
    await cluster.untilReason(up, 'DeletionHeld', 'MergeTakenBack');
    cluster.say(up, said.handed);
    await cluster.untilReason(up, 'DeletionHeld', 'KeysGivenAway');
    await until('it goes on', async () => (await cluster.entry(low))?.mergeFrom?.shard === up);
    cluster.say(low, said.open);
    await cluster.untilReason(up, 'Merging', 'Open');
    expect(await cluster.podsOf(up)).toBe(1);
    cluster.say(up, said.released(0));
    cluster.say(low, said.joined);
    await cluster.untilGone(up);
    expect(await cluster.entry(low)).toMatchObject({ start: '', end: '', epoch: 2 });
  }, 60_000);

  it('holds a deletion of the lower shard, which has to be confirmed when keys came to it meanwhile', async () => {
    const { low, up, said } = await beginMerge('below');
    await cluster.delete(low);
    await cluster.untilReason(low, 'DeletionHeld', 'MergeTakenBack');
    cluster.say(up, said.handed);
    const held = await cluster.untilReason(low, 'DeletionHeld', 'KeysUnderWay');
    expect(held.message).toMatch(/\["m", end\) of below-up came here: this is their only place/);
    cluster.say(low, said.open);
    await cluster.untilReason(low, 'Merging', 'Open');
    cluster.say(up, said.released(0));
    cluster.say(low, said.joined);
    await cluster.untilReason(low, 'DeletionHeld', 'KeysTakenOver');
    expect(await cluster.podsOf(low)).toBe(1);
    const annotations = { 'quartet.dev/delete-keys': 'true' };
    await cluster.client.patchMetadata(dbShards, { namespace: 'default', name: low }, { annotations });
    await cluster.untilGone(low);
  }, 60_000);

  it('that cannot begin says what to do, in a condition and one event, and asks nobody for anything', async () => {
    const { low, up } = await makePair('no');
    const [, other] = [await cluster.create('no-x', { database: 'else', replicas: 1 }), 'no-x'];
    await cluster.untilReason(other, 'Ready', 'Serving');
    for (const [mergeInto, reason, message] of [
      ['nobody', 'TargetMissing', /there is no DBShard nobody/],
      [other, 'OtherDatabase', /database else, not no/],
    ] as const) {
      await change(up, { mergeInto });
      const found = await cluster.untilReason(up, 'Merging', reason);
      expect(found).toMatchObject({ status: 'False', message: expect.stringMatching(message) as string });
      const told = await until('an event', async () => {
        const list = await eventsOf(up, reason);
        return list.length > 0 ? list : undefined;
      });
      expect(told).toEqual([expect.stringMatching(/^Warning/)]);
      expect(await cluster.condition(up, 'Ready')).toMatchObject({ status: 'True' });
      expect((await statusOf(up))?.merge).toBeUndefined();
      for (const name of [low, other]) expect((await cluster.entry(name))?.mergeFrom).toBeNull();
      await change(up, { mergeInto: null });
      await until('the condition is gone', async () => (await cluster.condition(up, 'Merging')) === undefined);
    }
  }, 60_000);

  it('waits for a split, and holds one up that was asked for later', async () => {
    const { low, up } = await makePair('turn');
    const said = reports(low, up);
    await cluster.create('turn-half', { database: 'turn', replicas: 1, splitFrom: { shard: low, at: 'f' } });
    await cluster.untilReason('turn-half', 'Ready', 'TakingOver');
    await change(up, { mergeInto: low });
    expect((await cluster.untilReason(up, 'Merging', 'Busy')).message).toMatch(
      /turn-low is being split with turn-half/,
    );
    await cluster.delete('turn-half');
    await cluster.untilGone('turn-half');
    await until('it begins', async () => (await cluster.entry(low))?.mergeFrom?.shard === up);
    cluster.say(low, said.copying);
    await cluster.untilReason(up, 'Merging', 'Copying');
    await cluster.create('turn-later', { database: 'turn', replicas: 1, splitFrom: { shard: low, at: 'g' } });
    const waits = await cluster.untilReason('turn-later', 'Splitting', 'SourceBusy');
    expect(waits.message).toMatch(/turn-low is being merged with turn-up/);
    expect(await cluster.podsOf('turn-later')).toBe(0);
  }, 120_000);

  it('settles: then no request is made at all', async () => {
    await until('no request for three seconds', async () => {
      const first = await cluster.requests();
      await new Promise((resolve) => setTimeout(resolve, 3000));
      return (await cluster.requests()) === first;
    });
  }, 60_000);
});
