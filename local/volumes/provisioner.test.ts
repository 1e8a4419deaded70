import { describe, expect, it } from 'vitest';
import type { Claim } from '../api/objects.ts';
import { nodeWaitingFor, volumeFor } from './provisioner.ts';

const claim = (rest: { spec?: Partial<Claim['spec']>; metadata?: Partial<Claim['metadata']> } = {}): Claim => ({
  metadata: {
    name: 'data',
    namespace: 'default',
    uid: 'u1',
    resourceVersion: '1',
    annotations: { 'volume.kubernetes.io/selected-node': 'node-b' },
    ...rest.metadata,
  },
  spec: { storageClassName: 'quartet-local', accessModes: ['ReadWriteOnce'], ...rest.spec },
});

describe('a claim waits for a volume', () => {
  it('on the node that the scheduler chose', () => {
    expect(nodeWaitingFor(claim())).toBe('node-b');
  });

  it.each([
    ['no node is chosen yet', claim({ metadata: { annotations: {} } })],
    ['it has one', claim({ spec: { volumeName: 'pv' } })],
    ['it is of another class', claim({ spec: { storageClassName: 'standard' } })],
    ['it is being deleted', claim({ metadata: { deletionTimestamp: 'now' } })],
  ])('not when %s', (_name, object) => {
    expect(nodeWaitingFor(object)).toBeUndefined();
  });
});

describe('the volume of a claim', () => {
  it('is bound to the claim and to the node, with the reclaim policy of its class', () => {
    expect(volumeFor(claim(), 'node-b', '/state/x')).toMatchObject({
      metadata: { name: 'pvc-u1' },
      spec: {
        persistentVolumeReclaimPolicy: 'Delete',
        hostPath: { path: '/state/x' },
        claimRef: { name: 'data', uid: 'u1' },
        nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ values: ['node-b'] }] }] } },
      },
    });
    const retained = volumeFor(claim({ spec: { storageClassName: 'quartet-local-retain' } }), 'node-b', '/x');
    expect(retained).toMatchObject({ spec: { persistentVolumeReclaimPolicy: 'Retain' } });
  });
});
