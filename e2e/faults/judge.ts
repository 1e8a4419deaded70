import type { Operation } from './history.ts';
import type { Verdict, Workload } from './workloads/workload.ts';

/** What a workload's check found, and how its operations ended. */
export interface Judgement extends Verdict {
  readonly workload: string;
  readonly ok: number;
  readonly failed: number;
  readonly unknown: number;
}

/** Checks what each workload's clients saw. */
export const judge = async (workloads: readonly Workload[], all: readonly Operation[]): Promise<Judgement[]> => {
  const judgements: Judgement[] = [];
  for (const workload of workloads) {
    const operations = all.filter((operation) => operation.workload === workload.name);
    const count = (outcome: Operation['outcome']): number =>
      operations.filter((operation) => operation.outcome === outcome).length;
    judgements.push({
      workload: workload.name,
      ok: count('ok'),
      failed: count('fail'),
      unknown: count('info'),
      ...(await workload.check(operations)),
    });
  }
  return judgements;
};
