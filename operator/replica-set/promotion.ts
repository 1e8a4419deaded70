import type { ControlReply } from '../../contract/control.ts';
import type { ReplicatedKind } from '../../contract/names.ts';
import type { Commands } from '../commands.ts';
import type { Measures } from '../measures.ts';
import type { SetAction } from '../replicas/action.ts';
import type { CommandInFlight } from '../replicas/view.ts';
import { backOffMs } from '../runtime/back-off.ts';
import type { EventNote } from '../runtime/events.ts';
import type { SetMemory } from './memory.ts';

type PromotionAction = Extract<SetAction, { type: 'promote' | 'switch-over' }>;

export interface PromotionContext {
  readonly kind: ReplicatedKind;
  readonly namespace: string;
  readonly commands: Commands;
  readonly measures: Measures;
  readonly memory: SetMemory;
  readonly note: (event: EventNote) => void;
  /** Called when the outcome is known, or when it is time to try again. */
  readonly wake: () => void;
}

const backOff = { minMs: 100, maxMs: 3000 } as const;

const rememberRefusal = (memory: SetMemory, pod: string, reply: Extract<ControlReply, { ok: false }>): void => {
  if (reply.term !== undefined) memory.seenTerm = Math.max(memory.seenTerm, reply.term);
  if (reply.code !== 'stale-term') memory.refuse(pod);
};

/** The answer to a command that another one has overtaken meanwhile changes nothing but what is known of terms. */
const isCurrent = (command: CommandInFlight, memory: SetMemory): boolean => memory.inFlight === command;

const succeed = (action: PromotionAction, term: number, context: PromotionContext): void => {
  const { memory, note } = context;
  memory.setPromoted(action.pod, term);
  if (action.type === 'promote') memory.noteElection();
  if (action.type === 'switch-over' && action.forBalance) context.measures.leadsForBalance.inc({ kind: context.kind });
  memory.failures = 0;
  memory.inFlight = null;
  const note_ = `${action.pod} leads with term ${term}: ${action.why}`;
  note({
    type: 'Normal',
    reason: action.type === 'promote' ? 'Elected' : 'SwitchedOver',
    action: 'Promote',
    note: note_,
  });
};

const giveUpForNow = (
  action: PromotionAction,
  reply: Extract<ControlReply, { ok: false }>,
  context: PromotionContext,
) => {
  const { memory, note, wake } = context;
  memory.failures++;
  const waiting: CommandInFlight = { type: action.type, pod: action.pod, backingOff: true };
  memory.inFlight = waiting;
  if (reply.code !== 'stale-term') {
    const text = `${action.pod} could not be promoted to term ${action.term}: ${reply.message}`;
    note({ type: 'Warning', reason: 'PromotionFailed', action: 'Promote', note: text });
  }
  const timer = setTimeout(
    () => {
      memory.inFlight = null;
      wake();
    },
    backOffMs(backOff, memory.failures),
  );
  timer.unref();
};

/**
 * Asks a replica to lead, in the background: a reconcile does not wait for the up to 5 s that an answer may take.
 * While it runs the set's memory says so, and no second one is started.
 */
export const startPromotion = async (action: PromotionAction, context: PromotionContext): Promise<void> => {
  const { kind, namespace, commands, measures, memory } = context;
  const command: CommandInFlight = { type: action.type, pod: action.pod, backingOff: false };
  memory.inFlight = command;
  const stop = measures.electionSeconds.startTimer({ kind });
  if (action.type === 'switch-over') await commands.ask(namespace, action.from, { type: 'step-down' });
  const reply = await commands.ask(namespace, action.pod, { type: 'promote', term: action.term });
  stop();
  measures.elections.inc({ kind, outcome: reply.ok ? 'ok' : reply.code });
  if (!reply.ok) rememberRefusal(memory, action.pod, reply);
  if (!isCurrent(command, memory)) return context.wake();
  if (!reply.ok) return giveUpForNow(action, reply, context);
  succeed(action, reply.term, context);
  context.wake();
};
