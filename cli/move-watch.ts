import { moveAnnotations, parseMove } from '../crds/move.ts';
import { moveGoesOn, type MovePhase, type MoveStatus } from '../crds/replica-set.ts';

/** A DBShard or SearchShard as kubectl prints it, as far as moves are concerned. */
export interface ReplicaSetView {
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly status?: {
    readonly move?: MoveStatus;
    readonly members?: readonly { readonly pod: string; readonly message?: string }[];
  };
}

/** What a look at a move that was asked for shows. */
export type MoveNews =
  | { readonly type: 'goes-on'; readonly phase: MovePhase; readonly detail: string }
  | { readonly type: 'moved'; readonly text: string }
  /** It was refused, given up, or the wish for it was taken back. */
  | { readonly type: 'not-moved'; readonly why: string };

/** What each phase does, for people. */
export const phaseNames: Readonly<Record<MovePhase, string>> = {
  Waiting: 'wait',
  Copying: 'copy to the new replica',
  Replacing: 'the old replica goes',
  Moved: 'moved',
  Refused: 'refused',
  GivenUp: 'given up',
};

/** The move that a resource is asked for; undefined: none. */
export const wantedMove = ({ metadata }: ReplicaSetView) => {
  const text = metadata.annotations?.[moveAnnotations.move];
  return text === undefined ? undefined : parseMove(text);
};

const progressOf = ({ status }: ReplicaSetView, move: MoveStatus): string => {
  const copied = status?.members?.find(({ pod }) => pod === move.replacement)?.message;
  return copied === undefined ? move.message : `${move.message} (${copied})`;
};

const unseen: MoveNews = { type: 'goes-on', phase: 'Waiting', detail: 'the operator has not seen it yet' };

/** Reads how far a move is that was asked for. Pure. */
export const moveNews = (set: ReplicaSetView, replica: string): MoveNews => {
  const move = set.status?.move?.replica === replica ? set.status.move : undefined;
  if (wantedMove(set)?.replica === replica) {
    return moveGoesOn(move) ? { type: 'goes-on', phase: move.phase, detail: progressOf(set, move) } : unseen;
  }
  if (move?.phase === 'Moved') return { type: 'moved', text: move.message };
  return { type: 'not-moved', why: move === undefined ? 'the wish for it was taken back' : move.message };
};
