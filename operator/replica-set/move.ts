import { moveAnnotations, parseMove } from '../../crds/move.ts';
import { isEndOfMove, moveGoesOn, type MovePhase, type MoveStatus } from '../../crds/replica-set.ts';
import type { Move } from '../replicas/move.ts';
import type { MoveRequest, SetView } from '../replicas/view.ts';
import type { DesiredCondition } from '../runtime/conditions.ts';
import type { EventNote } from '../runtime/events.ts';
import type { ReplicaSet } from './kind.ts';

/** The move that is asked for by annotations of a resource, and what status remembers of it. */
export const moveRequestOf = ({ metadata, status }: ReplicaSet): MoveRequest | null => {
  const text = metadata.annotations?.[moveAnnotations.move];
  if (text === undefined) return null;
  const reason = metadata.annotations?.[moveAnnotations.forBalance];
  const wanted = parseMove(text);
  const known = status?.move;
  const replacement = known?.replica === wanted.replica && moveGoesOn(known) ? (known.replacement ?? null) : null;
  return { ...wanted, why: reason ?? '', automatic: reason !== undefined, replacement };
};

type Wanted = Exclude<Move, { type: 'none' }>;

const phases: Readonly<Record<Wanted['type'], MovePhase>> = {
  refused: 'Refused',
  waits: 'Waiting',
  begins: 'Copying',
  copies: 'Copying',
  replaces: 'Replacing',
  moved: 'Moved',
  'given-up': 'GivenUp',
};

/** What a move's status is made from. */
export interface MoveFacts {
  readonly view: SetView;
  /** Null: nothing may be decided now. */
  readonly move: Move | null;
  /** As it is shown now. */
  readonly shown: MoveStatus | undefined;
  /** Bytes of the store, as far as known. */
  readonly bytes: number;
  /** ms since the epoch. */
  readonly now: number;
}

/** What was said of this very move before. */
const earlier = (request: MoveRequest, shown: MoveStatus | undefined): MoveStatus | undefined =>
  shown?.replica === request.replica && moveGoesOn(shown) ? shown : undefined;

const seatOf = (view: SetView, pod: string | undefined): string | undefined =>
  view.replicas.find((one) => one.pod === pod)?.node;

const targetOf = (move: Wanted, request: MoveRequest, before: MoveStatus | undefined): string | undefined =>
  move.type === 'begins' ? move.node : (before?.to ?? request.to ?? undefined);

/** From where to where, as far as it is known. */
const places = (view: SetView, move: Wanted, request: MoveRequest, before: MoveStatus | undefined) => {
  const replacement = 'replacement' in move ? move.replacement : before?.replacement;
  const from = seatOf(view, request.replica) ?? before?.from;
  const to = seatOf(view, replacement) ?? targetOf(move, request, before);
  return {
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    ...(replacement !== undefined && { replacement }),
  };
};

const way = (word: string, node: string | undefined): string => (node === undefined ? '' : ` ${word} ${node}`);

const messageOf = (move: Wanted, { replica, why }: MoveRequest, where: { from?: string; to?: string }): string => {
  const reason = why === '' ? '' : `: ${why}`;
  const ways = `${way('from', where.from)}${way('to', where.to)}`;
  if (move.type === 'moved') return `moved ${replica}${ways}, where ${move.message}${reason}`;
  if (move.type === 'refused') return `${replica} is not moved: ${move.message}`;
  if (move.type === 'given-up') return `the move of ${replica}${ways} is given up: ${move.message}`;
  return `${replica} moves${ways}; ${move.message}${reason}`;
};

const timeOf = ({ now }: MoveFacts): string => `${new Date(now).toISOString().slice(0, 19)}Z`;

/** Somebody took the annotation away. */
const withdrawn = (shown: MoveStatus | undefined, facts: MoveFacts): MoveStatus | undefined => {
  if (shown === undefined) return undefined;
  const message = `the move of ${shown.replica} is given up: the wish for it was taken back`;
  return { ...shown, phase: 'GivenUp', reason: 'Withdrawn', message, ended: timeOf(facts) };
};

/** What is to be said of a move that somebody wants. */
const tell = (move: Wanted, request: MoveRequest, { view, shown, bytes }: MoveFacts): MoveStatus => {
  const phase = phases[move.type];
  const before = earlier(request, shown);
  const where = places(view, move, request, before);
  return {
    replica: request.replica,
    ...where,
    phase,
    reason: move.type === 'refused' ? move.reason : phase,
    message: messageOf(move, request, where),
    forBalance: request.automatic,
    bytes: before?.bytes ?? bytes,
  };
};

/** The same was said already: its annotation is about to be taken away. */
const isSaid = (next: MoveStatus, shown: MoveStatus | undefined): boolean => {
  if (shown?.ended === undefined || shown.replica !== next.replica || shown.phase !== next.phase) return false;
  // the name of a replica is never used twice
  return next.phase === 'Moved' || sameText({ ...next, bytes: 0 }, { ...shown, bytes: 0, ended: undefined });
};

/** The move as status tells it; when there is none, the last one. Pure. */
export const planMoveStatus = (facts: MoveFacts): MoveStatus | undefined => {
  const { view, move, shown } = facts;
  if (move === null) return shown;
  if (move.type === 'none' || view.move === null) return moveGoesOn(shown) ? withdrawn(shown, facts) : shown;
  const next = tell(move, view.move, facts);
  if (!isEndOfMove(next.phase)) return next;
  return isSaid(next, shown) ? shown : { ...next, ended: timeOf(facts) };
};

const sameText = (a: object, b: object): boolean => {
  const text = (value: object): string =>
    JSON.stringify(
      Object.entries(value)
        .filter(([, one]) => one !== undefined)
        .sort(([x], [y]) => (x < y ? -1 : 1)),
    );
  return text(a) === text(b);
};

/** `Moving`: for who waits for a move, and who wants to know how the last one went. */
export const moveConditions = (move: MoveStatus | undefined): DesiredCondition[] =>
  move === undefined
    ? []
    : [{ type: 'Moving', status: moveGoesOn(move), reason: move.reason, message: move.message.slice(0, 1000) }];

const eventReasons: Readonly<Partial<Record<MovePhase, string>>> = {
  Copying: 'MoveBegun',
  Moved: 'Moved',
  Refused: 'MoveRefused',
  GivenUp: 'MoveGivenUp',
};

/** The event about a move; null: nothing is new. */
export const moveNews = (before: MoveStatus | undefined, after: MoveStatus | undefined): EventNote | null => {
  const reason = after === undefined ? undefined : eventReasons[after.phase];
  if (after === undefined || reason === undefined) return null;
  if (before?.phase === after.phase && before.replica === after.replica && before.ended === after.ended) return null;
  const isBad = after.phase === 'Refused' || after.phase === 'GivenUp';
  return { type: isBad ? 'Warning' : 'Normal', reason, action: 'Move', note: after.message };
};
