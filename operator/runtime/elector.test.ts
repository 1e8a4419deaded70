import pino from 'pino';
import { describe, expect, test } from 'vitest';
import type { Lease } from './builtin.ts';
import type { KubeClient } from './client.ts';
import { type Clock, pause, systemClock } from './clock.ts';
import { Elector, type ElectorOptions } from './elector.ts';
import { type FakeClock, fakeClock } from './fake-clock.ts';
import { KubeError } from './kube-error.ts';
import { leaseTimes } from './lease.ts';
import { runtimeMetrics } from './metrics.ts';

const slow = { durationMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2_000 };

/** One lease on a server that can be away. */
class LeaseServer {
  lease: Lease | undefined;
  away = false;
  /** Calls that get no answer from now on. */
  hangs = 0;
  version = 0;
  clock: Clock = systemClock;
  readonly times: Pick<ElectorOptions, 'durationMs' | 'renewDeadlineMs' | 'retryMs'>;

  constructor(times: LeaseServer['times'] = slow) {
    this.times = times;
  }

  readonly client = {
    get: async () => {
      this.#reach();
      if (this.lease === undefined) throw new KubeError('not-found', 'no lease');
      return this.lease;
    },
    create: async (_: unknown, lease: Lease) => {
      this.#reach();
      if (this.lease !== undefined) throw new KubeError('exists', 'there is one');
      return this.#put(lease);
    },
    replace: async (_: unknown, lease: Lease, { deadlineMs }: { deadlineMs: number }) => {
      this.#reach();
      if (this.hangs > 0) {
        this.hangs -= 1;
        await pause(this.clock, deadlineMs, new AbortController().signal);
        throw new KubeError('timeout', 'no answer');
      }
      if (lease.metadata.resourceVersion !== this.lease?.metadata.resourceVersion)
        throw new KubeError('conflict', 'old');
      return this.#put(lease);
    },
  } as unknown as KubeClient;

  #reach(): void {
    if (this.away) throw new KubeError('unavailable', 'away');
  }

  #put(lease: Lease): Lease {
    this.version += 1;
    this.lease = { ...lease, metadata: { ...lease.metadata, resourceVersion: String(this.version) } };
    return this.lease;
  }
}

const run = (
  server: LeaseServer,
  clock: FakeClock,
  identity: string,
  work?: (signal: AbortSignal) => Promise<void>,
) => {
  server.clock = clock;
  const log: string[] = [];
  const elector = new Elector({
    client: server.client,
    log: pino({ level: 'silent' }),
    metrics: runtimeMetrics(),
    clock,
    identity,
    namespace: 'n',
    name: 'l',
    ...server.times,
    stopDeadlineMs: 5_000,
  });
  const stop = new AbortController();
  const untilFired = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
  const running = elector.run(stop.signal, async (signal) => {
    log.push(`leads at ${clock.now()}`);
    await (work ?? untilFired)(signal);
    log.push(`ended at ${clock.now()}`);
  });
  return { elector, log, running, stop: () => stop.abort() };
};

describe('an elector', () => {
  test('leads at once where there is no lease, and renews it', async () => {
    const [server, clock] = [new LeaseServer(), fakeClock()];
    const one = run(server, clock, 'one');
    await clock.advance(60_000);
    expect(one.log).toEqual(['leads at 0']);
    expect(server.version).toBeGreaterThan(25);
    expect(one.elector.certain).toBe(true);
  });

  test('of two only one leads, whatever time passes', async () => {
    const [server, clock] = [new LeaseServer(), fakeClock()];
    const both = [run(server, clock, 'one'), run(server, clock, 'two')];
    await clock.advance(600_000);
    expect(both.map(({ elector }) => elector.leading).sort()).toEqual([false, true]);
    expect(both.flatMap(({ log }) => log)).toHaveLength(1);
  });

  test('that cannot renew ends its work at the renew deadline, before another may begin', async () => {
    const [server, clock] = [new LeaseServer(), fakeClock()];
    const one = run(server, clock, 'one');
    await clock.advance(100);
    server.away = true;
    await clock.advance(9_000);
    expect(one.elector.certain).toBe(true);
    await clock.advance(1_000);
    expect([one.elector.certain, one.elector.leading]).toEqual([false, false]);
    expect(one.log).toEqual(['leads at 0', 'ended at 10000']);
    server.away = false;
    const two = run(server, clock, 'two');
    await clock.advance(4_000);
    expect([one, two].filter(({ elector }) => elector.leading)).toHaveLength(1);
  });

  test('with the usual times keeps its lease though one renewal gets no answer, and is followed within 10 s', async () => {
    const [server, clock] = [new LeaseServer(leaseTimes), fakeClock()];
    const one = run(server, clock, 'one');
    await clock.advance(3_000);
    server.hangs = 1;
    await clock.advance(20_000);
    expect([server.hangs, one.log.length, one.elector.certain]).toEqual([0, 1, true]);
    const two = run(server, clock, 'two');
    await clock.advance(3_000);
    server.hangs = Number.POSITIVE_INFINITY;
    await clock.advance(5_100);
    expect([one.elector.leading, two.elector.leading]).toEqual([false, false]);
    server.hangs = 0;
    one.stop();
    await clock.advance(4_900);
    expect(two.elector.leading).toBe(true);
  });

  test('on stop: the work ends, then the lease is released, and another leads at its next try', async () => {
    const [server, clock] = [new LeaseServer(), fakeClock()];
    const one = run(server, clock, 'one');
    await clock.advance(10);
    const two = run(server, clock, 'two');
    await clock.advance(5_000);
    one.stop();
    await one.running;
    expect(server.lease?.spec?.holderIdentity).toBe('');
    await clock.advance(2_300);
    expect(two.log).toHaveLength(1);
  });

  test('goes on renewing while its work takes time to end, and does not release when it does not end', async () => {
    const [server, clock] = [new LeaseServer(), fakeClock()];
    const one = run(server, clock, 'one', () => new Promise(() => undefined));
    await clock.advance(10);
    one.stop();
    const before = server.version;
    await clock.advance(5_100);
    await one.running;
    expect(server.version).toBeGreaterThan(before);
    expect(server.lease?.spec?.holderIdentity).toBe('one');
  });

  test('whose lease another took stops at once', async () => {
    const [server, clock] = [new LeaseServer(), fakeClock()];
    const one = run(server, clock, 'one');
    await clock.advance(10);
    server.lease = {
      ...(server.lease as Lease),
      metadata: { name: 'l', resourceVersion: 'x' },
      spec: { holderIdentity: 'thief', leaseDurationSeconds: 15 },
    };
    await clock.advance(2_100);
    expect(one.log).toEqual(['leads at 0', 'ended at 2000']);
  });

  test('durations that allow two leaders are refused', () => {
    const wrong = { durationMs: 10_000, renewDeadlineMs: 10_000 } as ConstructorParameters<typeof Elector>[0];
    expect(() => new Elector(wrong)).toThrow(RangeError);
  });
});
