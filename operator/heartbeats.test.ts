import { beforeEach, describe, expect, it } from 'vitest';
import type { ReplicaState } from '../contract/heartbeat.ts';
import { Heartbeats, parseHeartbeatSubject, type HeartbeatNews } from './heartbeats.ts';

let now = 0;
let heartbeats: Heartbeats;
let news: string[];

const subject = (pod: string): string => `quartet.shop.heartbeat.db.users.${pod}`;

const beat = (pod: string, over: { state?: ReplicaState; term?: number; incarnation?: string; keys?: number } = {}) => {
  const { state = 'following', term = 1, incarnation = 'first', keys = 0 } = over;
  heartbeats.take(subject(pod), {
    pod,
    role: 'db',
    node: 'node-a',
    resource: 'users',
    incarnation,
    at: 0,
    replica: { state, term, applied: 5, tail: 5, figures: { keys } },
  });
};

/** Lets time pass as it does: with ticks. */
const pass = (ms: number, pods: readonly string[] = []): void => {
  for (const end = now + ms; now < end;) {
    now += 100;
    for (const pod of pods) beat(pod);
    heartbeats.tick();
  }
};

beforeEach(() => {
  now = 1_000_000;
  heartbeats = new Heartbeats(() => now);
  news = [];
  heartbeats.onNews(({ pod }, what: HeartbeatNews) => news.push(`${pod} ${what}`));
  heartbeats.connected();
});

describe('heartbeats', () => {
  it('tell of a pod that appears, changes its state, its term or its process, and of nothing else', () => {
    beat('r0');
    beat('r0');
    beat('r0', { state: 'primary' });
    beat('r0', { state: 'primary', term: 2 });
    beat('r0', { state: 'primary', term: 2, incarnation: 'second' });
    expect(news).toEqual(['r0 changed', 'r0 changed', 'r0 changed', 'r0 changed']);
  });

  it('tell of figures apart', () => {
    beat('r0');
    beat('r0', { keys: 7 });
    expect(news).toEqual(['r0 changed', 'r0 figures']);
  });

  it('tell at once when keys change hands, and of what a split waits for as of figures', () => {
    const split = (phase: 'snapshot' | 'log', problem?: string) =>
      heartbeats.take(subject('r0'), {
        pod: 'r0',
        role: 'db',
        node: 'node-a',
        resource: 'users',
        incarnation: 'first',
        at: 0,
        replica: {
          state: 'primary',
          term: 1,
          applied: 5,
          tail: 5,
          figures: {},
          range: { start: 'm', end: 'm', epoch: 1, intake: { from: 'app', phase, ...(problem && { problem }) } },
        },
      });
    split('snapshot');
    const { stateForMs } = heartbeats.view('shop', 'r0') ?? {};
    now += 50;
    split('snapshot', 'the source has no primary');
    split('log');
    expect(news).toEqual(['r0 changed', 'r0 figures', 'r0 changed']);
    // who leads, and since when, is another matter
    expect(heartbeats.view('shop', 'r0')?.stateForMs).toBe((stateForMs ?? 0) + 50);
  });

  it('are told with their ages, to people', () => {
    beat('r0', { state: 'primary', keys: 7 });
    now += 3000;
    beat('r1');
    now += 200;
    const told = heartbeats.told('shop', 'db', 'users').map(({ beat: { pod }, ageMs }) => `${pod} ${ageMs}`);
    expect(told).toEqual(['r0 3200', 'r1 200']);
    expect(heartbeats.told('shop', 'search', 'users')).toEqual([]);
    expect(heartbeats.ageMs('shop', 'r0')).toBe(3200);
    expect(heartbeats.ageMs('shop', 'r9')).toBe(Number.POSITIVE_INFINITY);
  });

  it('tell once of silence, within a tick of suspectAfter, and of the return', () => {
    for (const pod of ['r0', 'r1', 'r2']) beat(pod);
    pass(1500, ['r1', 'r2']);
    news = [];
    pass(500, ['r1', 'r2']);
    expect(news).toEqual(['r0 silent']);
    beat('r0');
    expect(news).toEqual(['r0 silent', 'r0 changed']);
  });

  it('give a resource its own suspectAfter', () => {
    heartbeats.setSuspectAfter('shop', 'users', 5000);
    beat('r0');
    beat('r1');
    pass(4000, ['r1']);
    expect(news).not.toContain('r0 silent');
    pass(1500, ['r1']);
    expect(news).toContain('r0 silent');
  });

  it('show the age of a beat, of its process and of its state', () => {
    beat('r0');
    pass(200);
    beat('r0', { state: 'primary' });
    pass(300);
    expect(heartbeats.view('shop', 'r0')).toMatchObject({
      state: 'primary',
      ageMs: 300,
      stateForMs: 300,
      upForMs: 500,
    });
  });

  it('drop what is malformed', () => {
    heartbeats.take(subject('r0'), { pod: 'r0' });
    heartbeats.take('quartet.shop.other.db.users.r0', {});
    expect(heartbeats.get('shop', 'r0')).toBeUndefined();
    expect(parseHeartbeatSubject('quartet.shop.heartbeat.db')).toBeNull();
  });
});

describe('evidence', () => {
  it('is none for a while after the connection came', () => {
    beat('r0');
    expect(heartbeats.evidence()).toBe('none');
    pass(1600, ['r0']);
    expect(heartbeats.evidence()).toBe('sound');
  });

  it('is none while NATS is away: nobody is suspected', () => {
    beat('r0');
    pass(2000, ['r0']);
    heartbeats.disconnected();
    news = [];
    pass(5000);
    expect(heartbeats.evidence()).toBe('none');
    expect(news).toEqual([]);
  });

  it('is none when less than half of the pods are heard: the fault is likelier here', () => {
    const all = ['r0', 'r1', 'r2', 'r3', 'r4'];
    pass(2000, all);
    pass(1700, ['r0', 'r1']);
    expect(heartbeats.evidence()).toBe('none');
  });

  it('is sound when one of three is silent, and one of two', () => {
    pass(2000, ['r0', 'r1', 'r2']);
    pass(1700, ['r1', 'r2']);
    expect(heartbeats.evidence()).toBe('sound');
    heartbeats.forget('shop', 'r0');
    pass(1700, ['r1']);
    expect(heartbeats.evidence()).toBe('sound');
  });

  it('is none after this process itself was stalled, until it has listened again', () => {
    pass(2000, ['r0', 'r1']);
    now += 3000;
    heartbeats.tick();
    expect(heartbeats.evidence()).toBe('none');
    expect(news.filter((line) => line.endsWith('silent'))).toEqual([]);
    pass(1600, ['r0', 'r1']);
    expect(heartbeats.evidence()).toBe('sound');
  });

  it('forgets pods that have been silent for long', () => {
    pass(2000, ['r0', 'r1']);
    pass(16_000, ['r1']);
    expect(heartbeats.view('shop', 'r0')?.ageMs).toBeGreaterThan(15_000);
    pass(600_000, ['r1']);
    expect(heartbeats.get('shop', 'r0')).toBeUndefined();
  });
});

describe('a primary that falls silent', () => {
  const started = (): void => {
    pass(1600, ['a', 'b', 'c']);
    beat('a', { state: 'primary' });
    news.length = 0;
  };

  it('is asked for once, before its silence is long enough to be suspected', () => {
    started();
    pass(700, ['b', 'c']);
    expect(heartbeats.doubtful()).toEqual([]);
    pass(200, ['b', 'c']);
    expect(heartbeats.doubtful().map(({ pod }) => pod)).toEqual(['a']);
    expect(heartbeats.doubtful()).toEqual([]);
    expect(news).not.toContain('a silent');
  });

  it('counts as silent at once when NATS says that it is not connected', () => {
    started();
    pass(900, ['b', 'c']);
    heartbeats.doubtful();
    heartbeats.gone('shop', 'a');
    expect(news).toContain('a silent');
    expect(heartbeats.view('shop', 'a')?.ageMs).toBe(Number.POSITIVE_INFINITY);
    expect(heartbeats.evidence()).toBe('sound');
  });

  it('is not gone when it was heard after the question, nor when nobody asked', () => {
    started();
    heartbeats.gone('shop', 'a');
    pass(900, ['b', 'c']);
    heartbeats.doubtful();
    beat('a', { state: 'primary' });
    heartbeats.gone('shop', 'a');
    expect(news).not.toContain('a silent');
  });

  it('a follower is not asked for', () => {
    started();
    pass(900, ['a', 'b']);
    expect(heartbeats.doubtful()).toEqual([]);
  });
});
