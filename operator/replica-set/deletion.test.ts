import { describe, expect, it } from 'vitest';
import type { PersistentVolumeClaim, Pod } from '../runtime/builtin.ts';
import { planDeletion, type DeletionObserved } from './deletion.ts';

const pod = (nodeName: string): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: `on-${nodeName}` },
  spec: { nodeName, containers: [] },
});
const claim: PersistentVolumeClaim = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'data' } };

const observed = (over: Partial<DeletionObserved> = {}): DeletionObserved => ({
  pods: [],
  claims: [claim],
  policy: 'Delete',
  nats: { state: 'ok' },
  isLostNode: (node) => node === 'lost',
  waitsFor: () => null,
  ...over,
});

describe('taking a replica set away', () => {
  it('begins with its pods, by force where no node can confirm', () => {
    const step = planDeletion(observed({ pods: [pod('good'), pod('lost')] }));
    expect(step).toMatchObject({ type: 'delete-pods', pods: [{ force: false }, { force: true }] });
  });
  it('waits with the log while NATS is away', () => {
    expect(planDeletion(observed({ nats: { state: 'away', problem: 'NATS is away' } }))).toMatchObject({
      type: 'wait',
      why: /NATS is away/,
    });
  });
  it('keeps the log, without pods, for as long as somebody may need it', () => {
    const waitsFor = () => 'the source has to say that it kept its keys';
    expect(planDeletion(observed({ waitsFor }))).toMatchObject({ type: 'wait', why: waitsFor() });
    expect(planDeletion(observed({ waitsFor, pods: [pod('good')] }))).toMatchObject({ type: 'delete-pods' });
  });
  it('ends with log and volumes', () => {
    expect(planDeletion(observed())).toEqual({ type: 'finish', claims: [claim] });
  });
  it('retains volumes when the policy says so', () => {
    expect(planDeletion(observed({ policy: 'Retain' }))).toEqual({ type: 'finish', claims: [] });
  });
});
