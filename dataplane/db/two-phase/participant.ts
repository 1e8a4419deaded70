import { decodeNote, encodeNote, noteName, type TransactionNote } from './note.ts';
import { decision, type Step, type StepName } from './step.ts';

/** What a step works on: the notes of a shard and its keys. */
export interface PartState {
  note(name: string): Buffer | undefined;
  setNote(name: string, value: Buffer): void;
  forgetNote(name: string): void;
  /** Carries out effects that were kept. */
  replay(effects: Buffer): void;
}

type Prepared = Extract<TransactionNote, { state: 'prepared' }>;

interface Part {
  readonly name: string;
  readonly note: TransactionNote | null;
  readonly state: PartState;
}

const commit = ({ name, note, state }: Part): string => {
  if (note === null) return decision.aborted;
  if (note.state === 'prepared') {
    state.replay(note.effects);
    const { anchor, participants } = note;
    state.setNote(name, encodeNote({ state: 'committed', anchor, participants }));
  }
  return decision.committed;
};

const abort = ({ name, note, state }: Part): string => {
  if (note?.state === 'committed') return decision.committed;
  if (note !== null) state.forgetNote(name);
  return decision.aborted;
};

const ask = ({ note }: Part): string => {
  if (note === null) return decision.aborted;
  return note.state === 'committed' ? decision.committed : decision.pending;
};

const ifPrepared =
  (act: (note: Prepared, part: Part) => void) =>
  (part: Part): string => {
    if (part.note?.state === 'prepared') act(part.note, part);
    return 'OK';
  };

const apply = ifPrepared((note, { name, state }) => {
  state.replay(note.effects);
  state.forgetNote(name);
});

const drop = ifPrepared((_note, { name, state }) => state.forgetNote(name));

const forget = ({ name, note, state }: Part): string => {
  if (note?.state === 'committed') state.forgetNote(name);
  return 'OK';
};

const steps: Readonly<Record<Exclude<StepName, 'prepare'>, (part: Part) => string>> = {
  commit,
  abort,
  ask,
  apply,
  drop,
  forget,
};

/** Carries out a step other than prepare. Whatever it finds, it is safe to do again. Answers what to reply. */
export const carryOut = (step: Exclude<Step, { name: 'prepare' }>, state: PartState): string => {
  const name = noteName(step.id);
  const bytes = state.note(name);
  return steps[step.name]({ name, note: bytes === undefined ? null : decodeNote(bytes), state });
};
