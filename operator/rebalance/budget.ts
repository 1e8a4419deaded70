import { restMs } from './changes.ts';
import type { FleetView } from './fleet-view.ts';

/** How much may be moved for balance. */
export interface Budget {
  /** Moves at once in the fleet; whatever else is being rebuilt counts, too. */
  readonly movesAtOnce: number;
  /** Bytes that moves copy within any hour. A replica that is larger is never moved for balance. */
  readonly bytesPerHour: number;
  /** Rest after each move, ms. */
  readonly pauseMs: number;
}

/** Bytes count for so long. A set rests for as long after a move, so the last move of each is all that has to be known. */
const hourMs = 3_600_000;
if (restMs < hourMs) throw new RangeError('a set that rests for less than an hour may move twice in one');

/** The most bytes that a move may copy which begins now; null: none may begin. Pure. */
export const bytesAllowed = ({ sets }: FleetView, { movesAtOnce, bytesPerHour, pauseMs }: Budget): number | null => {
  if (sets.filter(({ busy }) => busy).length >= movesAtOnce) return null;
  const ended = sets.flatMap(({ lastMove }) => lastMove ?? []);
  if (ended.some(({ agoMs }) => agoMs < pauseMs)) return null;
  const spent = ended.filter(({ agoMs }) => agoMs < hourMs).reduce((sum, { bytes }) => sum + bytes, 0);
  const under = sets.reduce((sum, { movingBytes }) => sum + movingBytes, 0);
  return Math.max(0, bytesPerHour - spent - under);
};
