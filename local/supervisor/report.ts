import { keyOf } from '../api/objects.ts';
import type { Supervisor } from './supervisor.ts';
import { usageOf, type Usage } from './usage.ts';

/** A process and what it uses; pid 0 = it does not run. */
export interface ProcessReport extends Partial<Usage> {
  readonly name: string;
  readonly pid: number;
}

export interface PodSummary extends Partial<Usage> {
  /** `namespace/name`. */
  readonly pod: string;
  readonly node: string;
  readonly address: string;
  readonly ready: boolean;
  readonly restarts: number;
}

/** What the supervisor knows about its instance. */
export interface Report {
  readonly nodes: readonly { readonly name: string; readonly zone: string; readonly alive: boolean }[];
  readonly pods: readonly PodSummary[];
  readonly processes: readonly ProcessReport[];
  /** Service addresses that something else listens on. */
  readonly busy: readonly { readonly address: string; readonly reason: string }[];
}

const sum = (usages: readonly (Usage | undefined)[]): Partial<Usage> => {
  const known = usages.filter((usage) => usage !== undefined);
  if (known.length === 0) return {};
  return {
    memory: known.reduce((total, { memory }) => total + memory, 0),
    cpu: known.reduce((total, { cpu }) => total + cpu, 0),
  };
};

/** Looks at everything that runs for half a second. */
export const reportOf = async (supervisor: Supervisor): Promise<Report> => {
  const { kubelet, publisher } = supervisor;
  const workers = [...kubelet.workers].filter(({ ended }) => !ended);
  const processes = supervisor.processes();
  const pids = [...processes.map(({ pid }) => pid), ...workers.flatMap((worker) => worker.pids())];
  const usage = await usageOf(pids.filter((pid) => pid !== 0));
  return {
    nodes: [...kubelet.agents].map(({ identity, alive }) => ({ name: identity.name, zone: identity.zone, alive })),
    pods: workers.map((worker) => ({
      pod: keyOf(worker.pod),
      node: worker.pod.spec.nodeName ?? '',
      address: worker.address,
      ready: worker.ready,
      restarts: worker.restarts,
      ...sum(worker.pids().map((pid) => usage.get(pid))),
    })),
    processes: processes.map((process) => ({ ...process, ...usage.get(process.pid) })),
    busy: [...publisher.errors].map(([address, reason]) => ({ address, reason })),
  };
};
