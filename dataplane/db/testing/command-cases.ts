import type { CommandCase } from './cases/case.ts';
import { connectionCases } from './cases/connection.ts';
import { keyCases } from './cases/keys.ts';
import { stringCases } from './cases/strings.ts';
import { transactionCases } from './cases/transactions.ts';

export { wordsOf } from './cases/case.ts';

/** Semantics as in Redis 7.2, for one shard. */
export const commandCases: readonly CommandCase[] = [
  ...stringCases,
  ...keyCases,
  ...transactionCases,
  ...connectionCases,
];
