import { describe, expect, it } from 'vitest';
import type { Pod } from '../api/objects.ts';
import { phaseOf, podStatus, type ContainerReport, type ContainerState, type PodReport } from './status.ts';

const running: ContainerState = { type: 'running', startedAt: 't0' };
const waiting: ContainerState = { type: 'waiting', reason: 'ContainerCreating', message: '' };
const ended = (exitCode: number): ContainerState => ({
  type: 'terminated',
  exitCode,
  reason: exitCode === 0 ? 'Completed' : 'Error',
  startedAt: 't0',
  finishedAt: 't1',
});
const container = (state: ContainerState, rest: Partial<ContainerReport> = {}): ContainerReport => ({
  name: 'main',
  image: 'quartet',
  state,
  last: undefined,
  ready: false,
  started: false,
  restarts: 0,
  ...rest,
});
const report = (containers: ContainerReport[], rest: Partial<PodReport> = {}): PodReport => ({
  containers,
  inits: [],
  initialized: true,
  podIP: '127.1.32.1',
  hostIP: '127.1.16.1',
  startTime: 't0',
  ...rest,
});
const pod: Pod = {
  metadata: { name: 'p', namespace: 'n', uid: 'u', resourceVersion: '1' },
  spec: { containers: [{ name: 'main', image: 'quartet' }] },
};

describe('phase', () => {
  it.each([
    ['nothing has started', [container(waiting)], 'Always', 'Pending'],
    ['one runs, one waits', [container(running), container(waiting)], 'Always', 'Running'],
    ['it crashed and waits to start again', [container(waiting, { restarts: 1 })], 'Always', 'Running'],
    ['all ended well', [container(ended(0)), container(ended(0))], 'OnFailure', 'Succeeded'],
    ['one of two ended', [container(ended(0)), container(running)], 'Never', 'Running'],
    ['one ended badly and stays so', [container(ended(1)), container(ended(0))], 'Never', 'Failed'],
    ['it ended and is to be stopped', [container(ended(0))], 'Always', 'Running'],
  ] as const)('%s', (_name, containers, policy, phase) => {
    expect(phaseOf(report([...containers]), policy)).toBe(phase);
  });

  it('is Failed when an init container failed for good', () => {
    const state = report([container(waiting)], { inits: [container(ended(1))], initialized: false });
    expect(phaseOf(state, 'Never')).toBe('Failed');
  });
});

describe('pod status', () => {
  const conditionsOf = (status: Record<string, unknown>) => status['conditions'] as Record<string, string>[];

  it('is ready when every container is', () => {
    const both = [container(running, { ready: true }), container(running, { ready: true })];
    const ready = conditionsOf(podStatus(pod, report(both), 'now')).find(({ type }) => type === 'Ready');
    expect(ready).toMatchObject({ status: 'True', lastTransitionTime: 'now' });
  });

  it('names the containers that are not ready', () => {
    const two = [container(running, { ready: true }), container(running, { name: 'slow' })];
    const ready = conditionsOf(podStatus(pod, report(two), 'now')).find(({ type }) => type === 'Ready');
    expect(ready).toMatchObject({ status: 'False', message: 'not ready: slow' });
  });

  it('keeps the transition time of a condition that did not change', () => {
    const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: 'before' } as const];
    const known = { ...pod, status: { conditions } };
    const state = report([container(running, { ready: true })]);
    const ready = conditionsOf(podStatus(known, state, 'now')).find(({ type }) => type === 'Ready');
    expect(ready?.['lastTransitionTime']).toBe('before');
  });

  it('shows the last end of a container that was started again', () => {
    const state = report([container(running, { restarts: 2, last: ended(137) })]);
    expect(podStatus(pod, state, 'now')['containerStatuses']).toEqual([
      expect.objectContaining({
        restartCount: 2,
        state: { running: { startedAt: 't0' } },
        lastState: { terminated: expect.objectContaining({ exitCode: 137 }) },
      }),
    ]);
  });
});
