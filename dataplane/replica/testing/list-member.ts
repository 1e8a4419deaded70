import { parsePodEnv, startPod } from '../../fabric/start-pod.ts';
import { ListMachine } from './list-machine.ts';
import { startReplica, ReplicaError } from '../replica.ts';

// A member with a list in memory, as a process: `node dataplane/replica/list-member.ts`, with a pod's environment.
// For tests. It answers on `list.<pod>.propose` (an operation; the answer is `ok <seq>` or `error <code>`),
// `list.<pod>.read` (the last operation and their number, after a barrier) and `list.<pod>.all`.

const env = parsePodEnv(process.env);
const pod = await startPod('db', env);
const machine = new ListMachine();
const set = { kind: 'db', namespace: env.QUARTET_NAMESPACE, name: env.QUARTET_RESOURCE ?? 'list' } as const;
const replica = await startReplica({ pod, set, machine });

const serve = (verb: string, handle: (payload: Uint8Array) => Promise<string>): void => {
  pod.nats.subscribe(`list.${env.QUARTET_POD}.${verb}`, {
    callback: (error, message) => {
      if (error) return;
      void handle(message.data)
        .catch((error: unknown) => `error ${error instanceof ReplicaError ? error.code : String(error)}`)
        .then((answer) => message.respond(answer));
    },
  });
};

serve('propose', async (payload) => `ok ${await replica.propose(Uint8Array.from(payload))}`);
serve('read', async () => {
  await replica.readBarrier();
  return `ok ${machine.operations.length} ${machine.operations.at(-1) ?? '-'}`;
});
serve('all', async () => JSON.stringify({ operations: machine.operations, restored: machine.restored }));

process.once('SIGTERM', () => {
  void pod.stop().finally(() => process.exit(0));
});
