import { describe, expect, it, test } from 'vitest';
import { dbBackupSpec, dbBackupStatus, type DbBackupStatus } from '../../crds/db-backup.ts';
import type { DbBackup } from '../kinds.ts';
import { ageSeconds, isOverdue } from './measures.ts';
import { planBackup, type BackupObserved, type BackupPlan } from './plan.ts';
import type { Run } from './run.ts';

/** A time of the day that all tests are about. */
const at = (time: string): number => Date.parse(`2026-11-30T${time}Z`);
const iso = (time: string): string => new Date(at(time)).toISOString();

const backup = (spec: object = {}, status?: Partial<DbBackupStatus>, annotations?: Record<string, string>): DbBackup =>
  ({
    apiVersion: 'quartet.dev/v1alpha1',
    kind: 'DBBackup',
    metadata: {
      name: 'hourly',
      namespace: 'shop',
      uid: 'u',
      generation: 1,
      creationTimestamp: iso('09:30:00'),
      annotations,
    },
    spec: dbBackupSpec.parse({
      database: 'app',
      schedule: '0 * * * *',
      destination: { volume: { claimName: 'backups' } },
      ...spec,
    }),
    ...(status && { status }),
  }) as DbBackup;

const run = (number: number, over: Partial<Run> = {}): Run => ({
  pod: `backup-hourly-${number}`,
  number,
  since: at('10:00:00'),
  request: undefined,
  end: null,
  waits: '',
  goneBy: null,
  ...over,
});

const report = { ok: true, backup: 'shop/app/1', bytes: 7, from: at('08:00:00'), until: at('10:00:05') } as const;
const success = { ok: true, report } as const;
const failure = (message = 'no such bucket') => ({ ok: false, message }) as const;

const plan = (now: string, over: Partial<Omit<BackupObserved, 'now'>> = {}): BackupPlan =>
  planBackup({ backup: backup(), runs: [], databaseExists: true, foreign: [], now: at(now), ...over });

const conditionOf = ({ conditions }: BackupPlan, type: string) => conditions.find((one) => one.type === type);
const reasons = (made: BackupPlan): string => made.conditions.map(({ type, reason }) => `${type} ${reason}`).join(', ');

/** The resource as it is when a plan was written. */
const after = (made: BackupPlan, spec: object = {}): DbBackup =>
  backup(spec, { ...made.status, conditions: made.conditions as never });

describe('when a run begins', () => {
  const done = { runs: 1, failures: 0, lastAttemptTime: iso('10:00:01'), lastSuccessTime: iso('10:00:09') };
  test.each<[string, string, object, Partial<DbBackupStatus> | undefined, number | null]>([
    ['not before the first time after it was made', '09:59:59', {}, undefined, null],
    ['at the first time', '10:00:00', {}, undefined, 1],
    ['not again after it', '10:59:59', {}, done, null],
    ['at the next time', '11:00:00', {}, done, 2],
    ['once for many times that were missed', '15:20:00', {}, done, 2],
    ['not while it is suspended', '15:20:00', { suspend: true }, done, null],
    ['not by a schedule that makes no sense', '15:20:00', { schedule: '50-10 * * * *' }, done, null],
  ])('%s', (...[, now, spec, status, start]) => {
    expect(plan(now, { backup: backup(spec, status) }).start).toBe(start);
  });

  it('not while another one is at work, nor while its pod is about to go', () => {
    const busy = backup({}, { ...done, active: 'backup-hourly-2' });
    expect(plan('12:00:00', { backup: busy, runs: [run(2, { since: at('11:59:00') })] }).start).toBeNull();
    const going = run(2, { since: at('11:59:00'), goneBy: at('12:00:10') });
    expect(plan('12:00:00', { backup: busy, runs: [going] }).start).toBeNull();
  });

  it('not without a database, nor when its names are taken, and says so', () => {
    const missing = plan('10:59:00', { databaseExists: false });
    expect([missing.start, reasons(missing)]).toEqual([
      null,
      'Ready DatabaseMissing, BackedUp NoneYet, Progressing Idle',
    ]);
    const taken = plan('10:59:00', { foreign: ['Pod backup-hourly-1'] });
    expect([taken.start, reasons(taken)]).toEqual([
      null,
      'Ready Scheduled, BackedUp NoneYet, Progressing Idle, ObjectsForeign NameTaken',
    ]);
  });

  it('when it is asked for, once for each value, also while it is suspended', () => {
    const asked = (value: string, request?: string): BackupPlan =>
      plan('09:31:00', {
        backup: backup({ suspend: true }, request === undefined ? undefined : { request }, {
          'quartet.dev/backup-now': value,
        }),
      });
    expect([asked('1').start, asked('1').status.request]).toEqual([1, '1']);
    expect(asked('1', '1').start).toBeNull();
    expect(asked('2', '1').start).toBe(1);
  });
});

describe('what runs came to', () => {
  const active = { active: 'backup-hourly-1', lastAttemptTime: iso('10:00:00') };

  it('a success: what can be restored is told, and the next time', () => {
    const made = plan('10:00:09', { backup: backup({}, active), runs: [run(1, { end: success })] });
    expect(dbBackupStatus.parse(made.status)).toEqual({
      observedGeneration: 1,
      runs: 1,
      failures: 0,
      lastAttemptTime: iso('10:00:00'),
      lastSuccessTime: iso('10:00:09'),
      nextTime: iso('11:00:00'),
      backup: 'shop/app/1',
      bytes: 7,
      restorableFrom: iso('08:00:00'),
      restorableUntil: iso('10:00:05'),
    });
    expect(conditionOf(made, 'BackedUp')).toMatchObject({ status: true, reason: 'Current' });
    expect(made.events).toEqual([expect.objectContaining({ type: 'Normal', reason: 'BackupDone' })]);
    // the second look tells nothing anew
    const again = plan('10:00:10', { backup: after(made), runs: [run(1, { end: success })] });
    expect([again.events, again.start, again.status]).toEqual([[], null, made.status]);
  });

  it('a failure: its line, and when it is tried again; then a success forgets it', () => {
    const made = plan('10:00:09', { backup: backup({}, active), runs: [run(1, { end: failure() })] });
    const next = made.status.nextTime ?? '';
    expect(Date.parse(next) - at('10:00:09')).toBeGreaterThanOrEqual(15_000);
    expect(Date.parse(next) - at('10:00:09')).toBeLessThanOrEqual(30_000);
    expect(conditionOf(made, 'BackedUp')).toMatchObject({
      status: false,
      reason: 'Failed',
      message: `no such bucket; next try at ${next}`,
    });
    expect(made.events).toEqual([{ type: 'Warning', reason: 'BackupFailed', note: 'backup-hourly-1: no such bucket' }]);
    const retried = planBackup({
      backup: after(made),
      runs: [run(1, { end: failure() })],
      databaseExists: true,
      foreign: [],
      now: Date.parse(next),
    });
    expect(retried.start).toBe(2);
    expect(conditionOf(retried, 'BackedUp')?.message).toBe('no such bucket');
    const ended = plan('10:01:00', {
      backup: backup({}, { ...retried.status, active: 'backup-hourly-2' }),
      runs: [run(1, { end: failure() }), run(2, { end: success })],
    });
    expect(ended.status).toMatchObject({ failures: 0, runs: 2 });
    expect(ended.status).not.toHaveProperty('lastFailureMessage');
    expect(ended.surplus).toEqual([{ pod: 'backup-hourly-1', force: false }]);
  });

  it('one after the other when an operator missed several', () => {
    const runs = [run(2, { end: success }), run(1, { end: failure() })];
    const made = plan('10:00:09', { backup: backup({}, active), runs });
    expect(made.events.map(({ reason }) => reason)).toEqual(['BackupFailed', 'BackupDone']);
    expect(made.status).toMatchObject({ runs: 2, failures: 0 });
  });

  it('an operator that died before it wrote down that a run has begun does not begin it again', () => {
    const asked = { 'quartet.dev/backup-now': '1' };
    const pod = run(1, { since: at('10:00:00'), request: '1' });
    const atWork = plan('10:00:03', { backup: backup({}, undefined, asked), runs: [pod] });
    expect([atWork.start, atWork.status]).toEqual([
      null,
      expect.objectContaining({ active: 'backup-hourly-1', request: '1', lastAttemptTime: iso('10:00:00') }),
    ]);
    const done = plan('10:00:09', { backup: backup({}, undefined, asked), runs: [{ ...pod, end: success }] });
    expect([done.start, done.status.request, done.status.nextTime]).toEqual([null, '1', iso('11:00:00')]);
  });

  it('a pod that is gone, or about to go, has failed', () => {
    const gone = plan('10:00:09', { backup: backup({}, active) });
    expect(gone.status).toMatchObject({ runs: 1, failures: 1 });
    expect(conditionOf(gone, 'BackedUp')?.message).toMatch(/^its pod was deleted before it was done; next try at/);
    const going = plan('10:00:09', { backup: backup({}, active), runs: [run(1, { goneBy: at('10:00:20') })] });
    expect(going.status).toMatchObject({ runs: 1, failures: 1 });
    expect(going.status).not.toHaveProperty('active');
    expect(going.surplus).toEqual([]);
    const held = plan('10:01:09', { backup: after(going), runs: [run(1, { goneBy: at('10:00:20') })] });
    expect([held.surplus, held.events]).toEqual([[{ pod: 'backup-hourly-1', force: true }], []]);
  });

  it('a pod that waits says why, and is given up some time after the deadline', () => {
    const waits = 'secret "s3" not found';
    const waiting = plan('10:30:00', { backup: backup({}, active), runs: [run(1, { waits })] });
    expect(conditionOf(waiting, 'Progressing')).toMatchObject({
      reason: 'PodWaits',
      message: `backup-hourly-1: ${waits}`,
    });
    expect(waiting.status.active).toBe('backup-hourly-1');
    const late = plan('11:02:00', { backup: backup({}, active), runs: [run(1, { waits })] });
    expect(late.surplus).toEqual([{ pod: 'backup-hourly-1', force: false }]);
    expect(conditionOf(late, 'BackedUp')?.message).toMatch(/: its pod never ran: secret "s3" not found/);
  });

  it('without a success for two times of the schedule it is overdue, and says why', () => {
    const status = { runs: 9, failures: 3, lastAttemptTime: iso('11:50:00'), lastFailureTime: iso('11:58:00') };
    const failing = { ...status, lastFailureMessage: 'no such bucket', lastSuccessTime: iso('10:00:09') };
    expect(conditionOf(plan('11:59:59', { backup: backup({}, failing) }), 'BackedUp')?.reason).toBe('Failed');
    const overdue = plan('12:00:00', { backup: backup({}, failing) });
    expect(conditionOf(overdue, 'BackedUp')).toMatchObject({
      status: false,
      reason: 'Overdue',
      message: expect.stringMatching(/last run was done at .*10:00:09.*two times .*: no such bucket/) as string,
    });
    expect([isOverdue(after(overdue)), ageSeconds(after(overdue), at('12:00:09'))]).toEqual([true, 7200]);
    const never = plan('11:00:00', { backup: backup(), databaseExists: false });
    expect(conditionOf(never, 'BackedUp')?.message).toMatch(/^no run was ever done/);
    const suspended = plan('13:00:00', {
      backup: backup({ suspend: true }, { runs: 1, lastSuccessTime: iso('10:00:09') }),
    });
    expect(conditionOf(suspended, 'BackedUp')?.reason).toBe('Current');
  });
});

describe('trying again', () => {
  const failing = (failures: number, failed: string): DbBackup =>
    backup({}, { runs: 5, failures, lastAttemptTime: iso('10:00:00'), lastFailureTime: iso(failed) });

  it('waits longer with each failure, never beyond the next time of the schedule', () => {
    const delays = [1, 2, 3, 4, 5, 9].map((failures) => {
      const { status } = plan('10:00:10', { backup: failing(failures, '10:00:10') });
      return (Date.parse(status.nextTime ?? '') - at('10:00:10')) / 1000;
    });
    for (const [i, bound] of [30, 60, 120, 240, 480, 900].entries()) {
      expect(delays[i]).toBeGreaterThanOrEqual(bound / 2);
      expect(delays[i]).toBeLessThanOrEqual(bound);
    }
    expect(plan('10:59:00', { backup: failing(9, '10:58:00') }).status.nextTime).toBe(iso('11:00:00'));
  });

  it('a run that fails after the next time has come is not begun again at once', () => {
    const made = plan('11:30:00', { backup: failing(1, '11:30:00') });
    expect(made.start).toBeNull();
    expect(Date.parse(made.status.nextTime ?? '')).toBeGreaterThanOrEqual(at('11:30:15'));
    expect(plan('11:30:30', { backup: failing(1, '11:30:00') }).start).toBe(6);
  });
});

describe('the next look', () => {
  test.each<[string, Partial<Omit<BackupObserved, 'now'>>, number, number]>([
    ['is never later than a tenth beyond the time', {}, 26_000, 27_000],
    ['is not far away, however far the time', { backup: backup({ schedule: '0 3 * * *' }) }, 600_000, 600_000],
  ])('%s', (_, over, least, most) => {
    const { requeueAfterMs = 0 } = plan('09:59:30', over);
    expect(requeueAfterMs).toBeGreaterThanOrEqual(least);
    expect(requeueAfterMs).toBeLessThanOrEqual(most);
  });

  it('is left to Kubernetes where nothing is due', () => {
    expect(plan('09:59:30', { backup: backup({ suspend: true }) }).requeueAfterMs).toBeUndefined();
  });
});
