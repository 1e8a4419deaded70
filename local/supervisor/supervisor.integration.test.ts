import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientFor } from '../api/kubeconfig-client.ts';
import type { ApiClient } from '../api/client.ts';
import type { Claim, Node, Pod, Service } from '../api/objects.ts';
import { until } from '../processes/until.ts';
import { deploymentOf, podOf, serviceOf, claimOf } from '../testing/manifests.ts';
import { askSupervisor, type Overview } from './control.ts';
import { launchSupervisor } from './launch.ts';
import { socketPath } from './state.ts';

const pods = '/api/v1/namespaces/default/pods';
const deadline = 90_000;

/** Every process that carries this state directory in its command line or environment. */
const processesOf = async (stateDir: string): Promise<string[]> => {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && name !== String(process.pid))) {
    const read = (file: string) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
    const [line, environment] = [await read('cmdline'), await read('environ')];
    if (line.includes(stateDir) || environment.includes(stateDir)) found.push(`${pid} ${line.replaceAll('\0', ' ')}`);
  }
  return found;
};

/** One instance goes through its whole life: the tests are steps and build on each other. */
describe('an instance', { timeout: 150_000 }, () => {
  let stateDir: string;
  let overview: Overview;
  let client: ApiClient;
  const launch = async () => {
    overview = await launchSupervisor({ stateDir, isDefault: false, onStep: () => undefined });
    client = await clientFor(overview.kubeconfig);
  };
  beforeAll(async () => {
    stateDir = await mkdtemp(join(tmpdir(), 'quartet-instance-'));
    await launch();
  });
  afterAll(async () => {
    await askSupervisor(socketPath(stateDir), 'stop').catch(() => undefined);
    await rm(stateDir, { recursive: true, force: true, maxRetries: 5 });
  });

  const readyPods = async (app: string): Promise<Pod[]> => {
    const { items } = await client.get<{ items: Pod[] }>(`${pods}?labelSelector=app%3D${app}`);
    return items.filter(
      ({ metadata, status }) =>
        metadata.deletionTimestamp === undefined &&
        status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True'),
    );
  };
  const waitForPods = (app: string, accept: (ready: Pod[]) => boolean = (ready) => ready.length === 1) =>
    until({ what: `pods of ${app}`, timeoutMs: deadline, everyMs: 200 }, async () => {
      const ready = await readyPods(app);
      return accept(ready) ? ready : undefined;
    });
  const ask = async (host: string, path = '/'): Promise<string> => {
    const response = await fetch(`http://${host}:8080${path}`, { signal: AbortSignal.timeout(2000) });
    return response.text();
  };
  const serviceAddress = () =>
    until({ what: 'the address of the service', timeoutMs: deadline }, async () => {
      const service = await client.get<Service>('/api/v1/namespaces/default/services/echo');
      return service.status?.loadBalancer?.ingress?.[0]?.ip;
    });
  const nodeReady = (name: string, wanted: string) =>
    until({ what: `${name} to be ${wanted}`, timeoutMs: deadline }, async () => {
      const { status, spec } = await client.get<Node>(`/api/v1/nodes/${name}`);
      const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.status;
      return ready === wanted && (wanted !== 'True' || (spec?.taints ?? []).length === 0) ? true : undefined;
    });

  it('runs a Deployment as processes, one per node, behind a load balancer', async () => {
    // a scheduler that knows one node only puts all pods there
    await Promise.all(['node-a', 'node-b', 'node-c'].map((name) => nodeReady(name, 'True')));
    await client.post('/api/v1/namespaces/default/secrets', {
      metadata: { name: 'keys' },
      stringData: { token: 's3cret' },
    });
    await client.post('/apis/apps/v1/namespaces/default/deployments', deploymentOf('echo', 3));
    await client.post('/api/v1/namespaces/default/services', serviceOf('echo'));
    const ready = await waitForPods('echo', (all) => all.length === 3);
    expect(new Set(ready.map(({ spec }) => spec.nodeName)).size).toBe(3);
    const answer = JSON.parse(await ask(await serviceAddress())) as { args: string[]; env: Record<string, string> };
    const { name, namespace } = ready.find(({ metadata }) => metadata.name === answer.env['POD'])?.metadata ?? {};
    expect(answer.args).toEqual([`--pod=${name}`]);
    expect(answer.env).toMatchObject({ NAMESPACE: namespace, TOKEN: 's3cret' });
  });

  it('gives a pod exactly the rights of its service account', async () => {
    const [pod] = await readyPods('echo');
    const answer = JSON.parse(await ask(pod?.status?.podIP ?? '')) as { env: Record<string, string> };
    const token = await readFile(join(answer.env['KUBECONFIG'] ?? '', '..', 'token'), 'utf8');
    const review = await client.post<{ status: { user: { username: string } } }>(
      '/apis/authentication.k8s.io/v1/tokenreviews',
      { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } },
    );
    expect(review.status.user.username).toBe('system:serviceaccount:default:default');
  });

  it('starts a killed pod again and counts it', async () => {
    const [pod] = await readyPods('echo');
    const name = pod?.metadata.name ?? '';
    await askSupervisor(socketPath(stateDir), 'killPod', name);
    await until({ what: 'the restart', timeoutMs: deadline }, async () => {
      const { status } = await client.get<Pod>(`${pods}/${name}`);
      const ready = status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True');
      return ready && status?.containerStatuses?.[0]?.restartCount === 1 ? true : undefined;
    });
  });

  it('serves logs to kubectl', async () => {
    const [pod] = await readyPods('echo');
    const log = await client.text('GET', `${pods}/${pod?.metadata.name}/log?tailLines=1`);
    expect(log).toMatch(/^echo-server listens since .*\n$/);
  });

  it('deletes a pod after its process, and another takes its place', async () => {
    const [pod] = await readyPods('echo');
    await client.delete(`${pods}/${pod?.metadata.name}`);
    await until({ what: 'the deletion', timeoutMs: deadline }, async () =>
      (await client.find(`${pods}/${pod?.metadata.name}`)) === undefined ? true : undefined,
    );
    await waitForPods('echo', (all) => all.length === 3);
  });

  it('says why a pod cannot run, and does not give up on it', async () => {
    await client.post(pods, podOf('wrong', { image: 'nginx:1' }));
    await until({ what: 'the reason', timeoutMs: deadline }, async () => {
      const pod = await client.get<{ status?: { containerStatuses?: { state: object }[] } }>(`${pods}/wrong`);
      return JSON.stringify(pod.status?.containerStatuses?.[0]?.state ?? {}).includes('ErrImageNeverPull') || undefined;
    });
    await client.delete(`${pods}/wrong`);
  });

  it('gives a claim a volume on the node of its pod', async () => {
    await client.post('/api/v1/namespaces/default/persistentvolumeclaims', claimOf('data'));
    await client.post(pods, podOf('keeper', { claim: 'data' }));
    const [keeper] = await waitForPods('keeper');
    expect((await ask(keeper?.status?.podIP ?? '', '/lines')).trim().split('\n')).toHaveLength(1);
  });

  it('takes a killed node out of service at once, and lets Kubernetes move its pods', async () => {
    const [keeper] = await readyPods('keeper');
    const survivor = keeper?.spec.nodeName;
    const victim = ['node-a', 'node-b', 'node-c'].find((name) => name !== survivor) ?? '';
    await askSupervisor(socketPath(stateDir), 'killNode', victim);
    const host = await serviceAddress();
    for (let i = 0; i < 6; i += 1) await expect(ask(host)).resolves.toContain('"pid"');
    await nodeReady(victim, 'Unknown');
    await waitForPods('echo', (all) => all.length === 3 && all.every(({ spec }) => spec.nodeName !== victim));
    await askSupervisor(socketPath(stateDir), 'reviveNode', victim);
    await nodeReady(victim, 'True');
    await until({ what: 'the end of the old pods', timeoutMs: deadline }, async () => {
      const { items } = await client.get<{ items: Pod[] }>(pods);
      return items.every(({ metadata }) => metadata.deletionTimestamp === undefined) || undefined;
    });
  });

  it('survives the end of any program of the control plane, and of the service proxy', async () => {
    const report = await askSupervisor(socketPath(stateDir), 'report');
    const named = (name: string) => report.processes.find((process) => process.name === name)?.pid ?? 0;
    for (const name of ['kube-apiserver', 'etcd', 'kube-scheduler', 'nats-0', 'service-proxy'])
      process.kill(named(name), 'SIGKILL');
    await until({ what: 'the service', timeoutMs: deadline }, async () => {
      const host = overview.publicHost;
      return (await ask(host)).includes('"pid"') || undefined;
    });
    await until(
      { what: 'the API server', timeoutMs: deadline },
      async () => (await readyPods('echo')).length === 3 || undefined,
    );
    await nodeReady('node-a', 'True');
  });

  it('leaves no process when it is told to stop', async () => {
    client.close();
    await askSupervisor(socketPath(stateDir), 'stop');
    await until({ what: 'no process', timeoutMs: 10_000 }, async () =>
      (await processesOf(stateDir)).length === 0 ? true : undefined,
    );
    await expect(askSupervisor(socketPath(stateDir), 'overview')).rejects.toMatchObject({ code: 'not-running' });
  });

  it('comes back with all that it had', async () => {
    await launch();
    await waitForPods('echo', (all) => all.length === 3);
    const [keeper] = await waitForPods('keeper');
    await expect
      .poll(() => ask(keeper?.status?.podIP ?? '', '/lines').catch(() => ''), { timeout: deadline })
      .toMatch(/^(\S+\n){2}$/);
    const claim = await client.get<Claim>('/api/v1/namespaces/default/persistentvolumeclaims/data');
    expect(claim.status?.phase).toBe('Bound');
  });

  it('removes the volume of a deleted claim', async () => {
    await client.delete(`${pods}/keeper`);
    await client.delete('/api/v1/namespaces/default/persistentvolumeclaims/data');
    await until({ what: 'an empty folder of volumes', timeoutMs: deadline }, async () =>
      (await readdir(join(stateDir, 'volumes'))).length === 0 ? true : undefined,
    );
  });

  it('leaves no process when its supervisor is killed with SIGKILL, and starts again', async () => {
    client.close();
    process.kill(overview.pid, 'SIGKILL');
    await until({ what: 'no process', timeoutMs: 20_000 }, async () =>
      (await processesOf(stateDir)).length === 0 ? true : undefined,
    );
    await launch();
    await waitForPods('echo', (all) => all.length === 3);
    client.close();
  });
});
