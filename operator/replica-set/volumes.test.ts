import { expect, test } from 'vitest';
import type { PersistentVolumeClaim } from '../runtime/builtin.ts';
import { volumesCondition } from './volumes.ts';

const storageClass = (name: string, isDefault = false) => ({
  metadata: { name, annotations: { 'storageclass.kubernetes.io/is-default-class': String(isDefault) } },
});
const claim = (phase: string): PersistentVolumeClaim => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'data-db-app-0' },
  status: { phase },
});

test.each([
  [
    'a class that exists',
    { className: 'a', classes: [storageClass('a')], claims: [claim('Pending')] },
    'Binding',
    /^$/,
  ],
  ['bound claims, whatever the class', { className: 'x', classes: [], claims: [claim('Bound')] }, 'Bound', /^$/],
  [
    'a class that does not exist',
    { className: 'fast', classes: [storageClass('b'), storageClass('a')], claims: [claim('Pending')] },
    'StorageClassMissing',
    /^storage class fast does not exist; there are: a, b; make it, or/,
  ],
  [
    'no default where one is needed',
    { className: '', classes: [storageClass('a')], claims: [claim('Pending')] },
    'StorageClassMissing',
    /^there is no default storage class; there are: a; mark one/,
  ],
  ['a default', { className: '', classes: [storageClass('a', true)], claims: [] }, 'Binding', /^$/],
  [
    'a volume that is gone',
    { className: '', classes: [], claims: [claim('Lost')] },
    'VolumeLost',
    /^the volume of data-db-app-0 is gone: delete the claim/,
  ],
])('%s', (_, observed, reason, message) => {
  const condition = volumesCondition(observed);
  expect(condition.reason).toBe(reason);
  expect(condition.message).toMatch(message);
});
