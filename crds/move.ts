/** Annotations on a DBShard or SearchShard that ask for a move of one of its replicas. The operator takes them away when it is over. */
export const moveAnnotations = {
  /** `POD`, or `POD to NODE`. */
  move: 'quartet.dev/move',
  /** Beside it when the operator asked itself: why. */
  forBalance: 'quartet.dev/move-for-balance',
} as const;

/** A move as its annotation says it. */
export interface WantedMove {
  readonly replica: string;
  /** Null: to whichever node is best. */
  readonly to: string | null;
}

const form = /^\s*(\S+)(?:\s+to\s+(\S+))?\s*$/;

/** Reads the annotation. What does not have its form is taken for the name of a replica, which there is not. */
export const parseMove = (text: string): WantedMove => {
  const [, replica, to] = form.exec(text) ?? [];
  return { replica: replica ?? JSON.stringify(text.slice(0, 253)), to: to ?? null };
};

/** The annotation's value. */
export const moveText = ({ replica, to }: WantedMove): string => (to === null ? replica : `${replica} to ${to}`);
