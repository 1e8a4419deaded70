import { z } from 'zod';
import type { NatsConnection } from '@nats-io/transport-node';
import { databaseSubject } from '../../../contract/subjects.ts';
import { errorLine } from '../db-error.ts';
import type { Router } from '../gateway/router.ts';
import { changes, changesRequest } from './changes.ts';
import { commandsRequest, runCommands } from './commands.ts';
import { get, getRequest, range, rangeRequest } from './reads.ts';
import { runTransaction, transactionRequest } from './transaction.ts';

const queueGroup = 'db-gateways';
/** Requests that one gateway works on; beyond that they are refused. */
const maxRequests = 10_000;

export interface Served {
  readonly router: Router;
  readonly nats: NatsConnection;
  readonly namespace: string;
}

type Handler = (served: Served, database: string, body: unknown) => Promise<object>;

const handler =
  <T extends z.ZodType>(
    schema: T,
    run: (served: Served, database: string, body: z.infer<T>) => Promise<object>,
  ): Handler =>
  async (served, database, body) => {
    const parsed = schema.safeParse(body);
    if (!parsed.success) return { error: `ERR malformed request: ${z.prettifyError(parsed.error)}` };
    return run(served, database, parsed.data);
  };

/** By the last token of the subject; '' for the subject of the database itself. */
const handlers: ReadonlyMap<string, Handler> = new Map([
  ['', handler(commandsRequest, ({ router }, database, body) => runCommands(router, database, body))],
  ['get', handler(getRequest, ({ router }, database, body) => get(router, database, body))],
  ['range', handler(rangeRequest, ({ router }, database, body) => range(router, database, body))],
  ['txn', handler(transactionRequest, ({ router }, database, body) => runTransaction(router, database, body))],
  ['changes', handler(changesRequest, (served, database, body) => changes(served, database, body))],
]);

const parseJson = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(Buffer.from(bytes).toString()) as unknown;
  } catch {
    return undefined;
  }
};

/** Carries out a request. Never rejects: what goes wrong is `{ "error": "CODE text" }`, with the codes of `DbErrorCode`. */
export const answerRequest = async (
  served: Served,
  { database, verb }: { database: string; verb: string },
  data: Uint8Array,
): Promise<object> => {
  const run = handlers.get(verb);
  if (!run) return { error: `ERR there is no ${verb.slice(0, 64)} of a database: get, range, txn, changes` };
  try {
    return await run(served, database, parseJson(data));
  } catch (error) {
    return { error: errorLine(error) };
  }
};

/** Serves every database of the namespace over NATS, together with all other gateways. Answers what ends that. */
export const listenForRequests = (served: Served): (() => void) => {
  let running = 0;
  const subjects = [databaseSubject(served.namespace, '*'), databaseSubject(served.namespace, '*', '*')];
  const subscriptions = subjects.map((subject) =>
    served.nats.subscribe(subject, {
      queue: queueGroup,
      callback: (error, message) => {
        if (error) return;
        const respond = (answer: object): void => void message.respond(JSON.stringify(answer));
        if (running >= maxRequests)
          return respond({ error: 'TRYAGAIN too many requests wait in this gateway; not executed' });
        running++;
        const [database = '', verb = ''] = message.subject.split('.').slice(3);
        void answerRequest(served, { database, verb }, message.data)
          .then(respond, () => {})
          .finally(() => running--);
      },
    }),
  );
  return () => {
    for (const subscription of subscriptions) subscription.unsubscribe();
  };
};
