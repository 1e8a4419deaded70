import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { leases } from './builtin.ts';
import { restart, startTestCluster, type TestCluster } from './testing/cluster.ts';
import { type Candidate, startCandidate } from './testing/candidates.ts';
import { type CutProxy, startCutProxy } from './testing/cut-proxy.ts';
import { until } from './testing/until.ts';
import { widget, widgets } from './testing/widget.ts';

// Candidates hold the lease for 3 s, give up after 2 s, try every 0.3 s.
let cluster: TestCluster;
let namespace: string;
let proxy: CutProxy;
const candidates: Candidate[] = [];

beforeAll(async () => {
  cluster = await startTestCluster();
});
beforeEach(async () => {
  namespace = await cluster.namespace();
  proxy = await startCutProxy(cluster.port);
});
afterEach(async () => {
  for (const candidate of candidates) candidate.kill('SIGKILL');
  await Promise.all(candidates.splice(0).map(({ exited }) => exited));
  await proxy.close();
});
afterAll(() => cluster?.stop());

const start = async (identity: string, kubeconfig: string = cluster.kubeconfig): Promise<Candidate> => {
  const candidate = await startCandidate(kubeconfig, namespace, identity);
  candidates.push(candidate);
  return candidate;
};
/** Two processes, of which the first leads. */
const pair = async (kubeconfig?: string): Promise<readonly [Candidate, Candidate]> => {
  const first = await start('first', kubeconfig);
  await first.says('leading');
  return [first, await start('second')];
};
const lease = () => cluster.client.get(leases, { namespace, name: 'candidates' });
const works = async (name: string): Promise<void> => {
  await cluster.client.create(widgets, widget(name, 1, namespace));
  await until('reconciled', async () => {
    const live = await cluster.client.get(widgets, { namespace, name });
    return live.status?.made === 1;
  });
};

test('one of two leads; when it is killed the other takes over after the lease has expired, not before', async () => {
  const [first, second] = await pair();
  await works('before');
  expect(second.said).not.toContain('leading');
  const renewedAt = Date.parse((await lease()).spec?.renewTime ?? '');
  first.kill('SIGKILL');
  await second.says('leading');
  const { spec } = await lease();
  expect(spec).toMatchObject({ holderIdentity: 'second', leaseTransitions: 2 });
  expect(Date.parse(spec?.acquireTime ?? '') - renewedAt).toBeGreaterThanOrEqual(3_000);
  await works('after');
});

test('an orderly stop ends the work, then releases the lease: the other leads within a second', async () => {
  const [first, second] = await pair();
  const stoppedAt = performance.now();
  first.kill('SIGTERM');
  await second.says('leading');
  expect(performance.now() - stoppedAt).toBeLessThan(1_500);
  await first.exited;
  expect(first.said).toEqual(
    ['leading', 'ready', 'ended', 'stopped'].sort((a, b) => first.said.indexOf(a) - first.said.indexOf(b)),
  );
  expect(first.said.indexOf('ended')).toBeLessThan(first.said.indexOf('stopped'));
  await works('after');
});

test('a leader that cannot reach the server ends its work before the other begins, and can lead again', async () => {
  const [first, second] = await pair(await cluster.kubeconfigVia(proxy.port));
  proxy.refuse(true);
  proxy.cut();
  await first.says('ended');
  expect(second.said).not.toContain('leading');
  await second.says('leading');
  proxy.refuse(false);
  second.kill('SIGTERM');
  await first.says('leading', 2);
  await works('after');
});

test('a paused leader finds out that it is none any more as soon as it runs again', async () => {
  const [first, second] = await pair();
  first.kill('SIGSTOP');
  await second.says('leading');
  first.kill('SIGCONT');
  await first.says('ended');
  await works('after');
  expect((await lease()).spec?.holderIdentity).toBe('second');
});

test('the API server is away for longer than the lease: no crash, one leads when it is back', async () => {
  const [first] = await pair();
  const { apiserver } = cluster.controlPlane;
  apiserver.kill('SIGKILL');
  await apiserver.exited;
  await first.says('ended');
  await restart(cluster.controlPlane);
  await works('after');
  const leading = candidates.filter(({ said }) => said.lastIndexOf('leading') > said.lastIndexOf('ended'));
  expect(leading).toHaveLength(1);
});
