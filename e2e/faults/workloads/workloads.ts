import { bank } from './bank.ts';
import { listAppend } from './list-append.ts';
import { longFork } from './long-fork.ts';
import { range } from './range.ts';
import { register } from './register.ts';
import { set } from './set.ts';
import type { Place, Spread, Workload } from './workload.ts';

/** All workloads; they run together. */
export const allWorkloads = (places: readonly Place[], spread: Spread): Workload[] => [
  register(places),
  listAppend(places, spread),
  bank(places, spread),
  set(places),
  longFork(places, spread),
  range(places),
];
