import type { Operation } from '../history.ts';
import type { Verdict } from '../workloads/workload.ts';
import type { BankInput } from '../workloads/bank.ts';

/** Every read of a bank has to find its total. */
export const checkBank = (operations: readonly Operation[]): Verdict => {
  const reads = operations.filter(({ f, outcome }) => f === 'read' && outcome === 'ok');
  const anomalies = reads.flatMap(({ input, output, client }) => {
    const { bank, total } = input as BankInput;
    const balances = output as number[];
    const found = balances.reduce((sum, balance) => sum + balance, 0);
    return found === total ? [] : [`bank ${bank}: ${client} found ${found}, not ${total}: ${balances.join(' ')}`];
  });
  return { checked: operations.length, anomalies };
};
