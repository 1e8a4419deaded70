import type { ApiClient } from '../../local/api/client.ts';
import { reasonOf } from '../../local/errors.ts';
import { askSupervisor, type Overview } from '../../local/supervisor/control.ts';
import type { Report } from '../../local/supervisor/report.ts';
import { socketPath } from '../../local/supervisor/state.ts';
import type { CommandLine } from '../arguments.ts';
import { connect, runningInstance } from '../connection.ts';
import { endpointTable } from '../endpoints.ts';
import { readResources, type Readiness } from '../resources.ts';
import { megabytes, percent, table } from '../table.ts';

const total = (report: Report): { memory: number; cpu: number } => {
  const all = [...report.pods, ...report.processes];
  return {
    memory: all.reduce((sum, { memory = 0 }) => sum + memory, 0),
    cpu: all.reduce((sum, { cpu = 0 }) => sum + cpu, 0),
  };
};

const nodeTable = (report: Report): string =>
  table(
    ['NODE', 'ZONE', 'STATE', 'PODS'],
    report.nodes.map((node) => {
      const pods = report.pods.filter((pod) => pod.node === node.name).length;
      return [node.name, node.zone, node.alive ? 'alive' : 'killed', String(pods)];
    }),
  );

const podTable = (report: Report): string =>
  table(
    ['POD', 'NODE', 'ADDRESS', 'STATE', 'RESTARTS', 'MEMORY', 'CPU'],
    report.pods
      .toSorted((a, b) => a.pod.localeCompare(b.pod))
      .map(({ pod, node, address, ready, restarts, memory, cpu }) => {
        const state = ready ? 'ready' : 'not ready';
        return [pod, node, address, state, String(restarts), megabytes(memory), percent(cpu)];
      }),
  );

const processTable = (report: Report): string =>
  table(
    ['PROCESS', 'PID', 'MEMORY', 'CPU'],
    report.processes.map(({ name, pid, memory, cpu }) => [
      name,
      pid === 0 ? 'down' : String(pid),
      megabytes(memory),
      percent(cpu),
    ]),
  );

const resourceTable = (resources: readonly Readiness[]): string =>
  table(
    ['RESOURCE', 'NAMESPACE', 'STATE'],
    resources.map(({ name, namespace, ready, reason }) => [name, namespace, ready ? 'Ready' : `not ready: ${reason}`]),
  );

const resourcesText = async (client: ApiClient): Promise<string> => {
  try {
    return resourceTable(await readResources(client)) || 'no resources';
  } catch (error) {
    return `resources unknown, the API server does not answer: ${reasonOf(error)}`;
  }
};

const print = async (line: CommandLine, overview: Overview): Promise<void> => {
  const report = await askSupervisor(socketPath(line.stateDir), 'report');
  const client = await connect(overview);
  const resources = await resourcesText(client);
  client.close();
  const { memory, cpu } = total(report);
  const busy = report.busy.map(({ address, reason }) => `${address} cannot be opened: ${reason}`);
  const parts = [
    nodeTable(report),
    resources,
    podTable(report),
    processTable(report),
    `everything together: ${megabytes(memory)}, ${percent(cpu)} of a core`,
    ...busy,
    endpointTable(overview, line),
  ];
  console.log(parts.filter((part) => part !== '').join('\n\n'));
};

/** What runs, and how it is. @throws LocalError `not-running` */
export const status = async (line: CommandLine): Promise<number> => {
  const overview = await runningInstance(line.stateDir);
  if (overview.state === 'running') await print(line, overview);
  else console.log(`${overview.state}: ${overview.step}`);
  return 0;
};
