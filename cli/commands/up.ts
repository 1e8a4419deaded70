import { setTimeout as sleep } from 'node:timers/promises';
import { buildTools } from '../../hack/tools/build.ts';
import type { ApiClient } from '../../local/api/client.ts';
import { LocalError, reasonOf } from '../../local/errors.ts';
import { askSupervisor, type Overview } from '../../local/supervisor/control.ts';
import { findSupervisor, launchSupervisor } from '../../local/supervisor/launch.ts';
import { socketPath } from '../../local/supervisor/state.ts';
import type { CommandLine } from '../arguments.ts';
import { connect } from '../connection.ts';
import { endpointTable } from '../endpoints.ts';
import { applySamples, installChart } from '../install.ts';
import { Progress } from '../progress.ts';
import { readResources, summaryOf } from '../resources.ts';

const readyTimeoutMs = 180_000;

const start = async (line: CommandLine, progress: Progress): Promise<Overview> => {
  const running = await findSupervisor(line.stateDir);
  if (running?.state === 'stopping')
    throw new LocalError('already-running', 'it is being stopped: try again in a moment');
  if (running?.state === 'running') {
    progress.step('runs already');
    return running;
  }
  progress.step('supervisor');
  return launchSupervisor({
    stateDir: line.stateDir,
    isDefault: line.isDefaultState,
    nodes: line.nodes,
    natsServers: line.nats,
    publicHost: line.address,
    onStep: (step) => progress.step(step),
  });
};

interface Wait {
  readonly client: ApiClient;
  readonly progress: Progress;
}

/** Waits for `look` to return nothing more to wait for. */
const waitFor = async ({ progress }: Wait, what: string, look: () => Promise<string>): Promise<void> => {
  const deadline = performance.now() + readyTimeoutMs;
  let waiting = 'the API server';
  while (performance.now() < deadline) {
    waiting = await look().catch(reasonOf);
    if (waiting === '') return;
    progress.detail(waiting);
    await sleep(300);
  }
  const minutes = readyTimeoutMs / 60_000;
  throw new LocalError('start-failed', `${what} not ready after ${minutes} minutes: ${waiting}`);
};

interface DeploymentStatus {
  readonly status?: { readonly availableReplicas?: number };
}

const operatorWait = async (client: ApiClient): Promise<string> => {
  const path = '/apis/apps/v1/namespaces/quartet-system/deployments/quartet-operator';
  const available = (await client.get<DeploymentStatus>(path)).status?.availableReplicas ?? 0;
  return available > 0 ? '' : 'its pod to be ready';
};

/** Resources can be Ready from before a restart: the pods that run now count too. */
const resourcesWait = async (client: ApiClient, stateDir: string): Promise<string> => {
  const resources = await readResources(client);
  if (!resources.every(({ ready }) => ready)) return summaryOf(resources);
  const { pods } = await askSupervisor(socketPath(stateDir), 'report');
  const waiting = pods.filter(({ ready }) => !ready);
  return waiting.length === 0 ? '' : `${waiting.length} of ${pods.length} pods not ready: ${waiting[0]?.pod}, …`;
};

const upWith = async (line: CommandLine, progress: Progress): Promise<void> => {
  if (process.platform !== 'linux') {
    const why = 'pods need addresses of their own in 127.0.0.0/8, and /proc';
    throw new LocalError('invalid', `the embedded mode runs on Linux only (${why}): use a cluster, or a Linux machine`);
  }
  progress.step('tools');
  await buildTools((text) => progress.detail(text));
  const overview = await start(line, progress);
  const client = await connect(overview);
  const wait = { client, progress };
  try {
    progress.step('chart');
    await installChart(overview, line.stateDir);
    progress.step('operator');
    await waitFor(wait, 'the operator is', () => operatorWait(client));
    if (line.samples) {
      progress.step('samples');
      await applySamples(overview);
    }
    progress.step('resources');
    await waitFor(wait, 'resources are', () => resourcesWait(client, line.stateDir));
    progress.done();
  } finally {
    client.close();
  }
  console.log(`\nup after ${progress.seconds.toFixed(1)} s\n\n${endpointTable(overview, line)}`);
};

/** Starts everything, or completes what is missing. @throws LocalError */
export const up = async (line: CommandLine): Promise<number> => {
  const progress = new Progress();
  try {
    await upWith(line, progress);
    return 0;
  } catch (error) {
    progress.failed();
    throw error;
  }
};
