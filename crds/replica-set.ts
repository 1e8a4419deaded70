import { z } from 'zod';
import { immutable, rules } from './cel.ts';
import { count, statusBase } from './conditions.ts';
import { quantity } from './quantity.ts';

/** Fields that DBShard and SearchShard share: both are replicas of one log. */

export const replicas = (fallback: number) =>
  z
    .int()
    .min(1)
    .max(9)
    .default(fallback)
    .describe('Copies of the data, each on a node of its own. They follow one log; one of them is primary.');

export const storage = (policy: 'Retain' | 'Delete') =>
  z
    .object({
      size: quantity('storage.size', '16Mi', '64Ti')
        .default('1Gi')
        .describe('Size of the volume of each replica.')
        .meta({}),
      className: z
        .string()
        .max(253)
        .regex(/^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$/)
        .default('')
        .describe("Storage class of the volumes; empty means the operator's default, else the cluster's."),
      policy: z
        .enum(['Retain', 'Delete'])
        .default(policy)
        .describe('What becomes of the volumes when the resource is deleted.'),
    })
    .prefault({})
    .describe('Volume of each replica.')
    .meta(
      rules(
        {
          rule: 'self.size == oldSelf.size',
          message: 'storage.size is immutable; create another resource instead',
          fieldPath: '.size',
        },
        {
          rule: 'self.className == oldSelf.className',
          message: 'storage.className is immutable; create another resource instead',
          fieldPath: '.className',
        },
      ),
    );

/** Name of a database or an index: what clients say. */
export const logicalName = (field: string) =>
  z
    .string()
    .min(1)
    .max(63)
    .regex(/^[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/)
    .meta(rules(immutable(field)));

const memberStatus = z.object({
  pod: z.string().max(253).describe('Name of the pod.'),
  node: z.string().max(253).optional().describe('Node that it runs on.'),
  zone: z.string().max(253).optional().describe('Zone of the node.'),
  state: z
    .string()
    .max(32)
    .optional()
    .describe('What it says: starting, rebuilding, following, promoting, primary, halted; or silent, pending.'),
  message: z
    .string()
    .max(500)
    .optional()
    .describe('Why it is in this state: why it is halted, what it waits for, how far it is rebuilt.'),
  applied: count('Last log sequence in its store, as of the last change of this status.'),
});

/**
 * How far a move of a replica to another node is, or how the last one ended:
 * - Waiting: it has not begun
 * - Copying: the new replica is made and catches up; the old one works on
 * - Replacing: the new one has caught up; the old one goes, after another leads
 * - Moved, Refused, GivenUp: it is over
 */
export const movePhases = ['Waiting', 'Copying', 'Replacing', 'Moved', 'Refused', 'GivenUp'] as const;
export type MovePhase = (typeof movePhases)[number];

const moveStatus = z.object({
  replica: z.string().max(255).describe('Replica that moves: the name of its pod.'),
  from: z.string().max(253).optional().describe('Node that it leaves.'),
  to: z.string().max(253).optional().describe('Node that it moves to.'),
  replacement: z.string().max(253).optional().describe('New replica that takes its place.'),
  phase: z.enum(movePhases).describe('Waiting, Copying, Replacing; or how it ended: Moved, Refused, GivenUp.'),
  reason: z.string().max(128).describe('One word for programs: why it was refused; else the phase.'),
  message: z.string().max(2048).describe('What is done now, what it waits for, or how it ended.'),
  forBalance: z.boolean().describe('Whether the operator chose to move it, for a better balance of load and size.'),
  bytes: count('Bytes of the store that are copied.'),
  ended: z.string().optional().meta({ format: 'date-time' }).describe('When it was over.'),
});
export type MoveStatus = z.infer<typeof moveStatus>;

const endsOfMoves = ['Moved', 'Refused', 'GivenUp'] as const satisfies readonly MovePhase[];
type EndOfMove = (typeof endsOfMoves)[number];

/** Whether a move with this phase is over. */
export const isEndOfMove = (phase: MovePhase): phase is EndOfMove =>
  (endsOfMoves as readonly MovePhase[]).includes(phase);

/** Whether there is a move that is not over. */
export const moveGoesOn = (move: MoveStatus | undefined): move is MoveStatus =>
  move !== undefined && !isEndOfMove(move.phase);

/** Status of a set of replicas. */
export const replicaSetStatus = {
  ...statusBase,
  replicas: count('Replicas that exist.'),
  readyReplicas: count('Replicas that follow the log or lead.'),
  selector: z.string().max(1024).optional().describe('Label selector of the pods, for the scale subresource.'),
  primary: z.string().max(253).optional().describe('Pod that accepts writes.'),
  term: count('Term of the primary: grows with each election.'),
  log: z
    .object({
      stream: z.string().max(255).describe('Name of the JetStream stream.'),
      created: z.string().max(64).describe('When it was created: another time means another history.'),
    })
    .optional()
    .describe('The log that is the truth of this shard. Made once.'),
  move: moveStatus.optional().describe('The move of a replica to another node, or the last one.'),
  nextReplica: count('Number of the next replica. Numbers are never used twice.'),
  members: z
    .array(memberStatus)
    .max(32)
    .optional()
    .describe('The replicas.')
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['pod'] }),
};
