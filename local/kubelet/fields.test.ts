import { describe, expect, it } from 'vitest';
import { fieldOf } from './fields.ts';

const pod = {
  metadata: { name: 'p', namespace: 'n', uid: 'u', resourceVersion: '1', labels: { 'app.kubernetes.io/name': 'db' } },
  spec: { nodeName: 'node-a', containers: [] },
};

describe('fieldRef', () => {
  it.each([
    ['metadata.name', 'p'],
    ['metadata.namespace', 'n'],
    ['metadata.uid', 'u'],
    ["metadata.labels['app.kubernetes.io/name']", 'db'],
    ["metadata.labels['other']", ''],
    ["metadata.annotations['other']", ''],
    ['spec.nodeName', 'node-a'],
    ['spec.serviceAccountName', 'default'],
    ['status.podIP', '127.1.32.1'],
    ['status.hostIP', '127.1.16.1'],
    ['spec.nope', undefined],
  ])('%s', (path, expected) => {
    expect(fieldOf(pod, { address: '127.1.32.1', hostIP: '127.1.16.1' }, path)).toBe(expected);
  });
});
