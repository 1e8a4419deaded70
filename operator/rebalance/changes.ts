import { leadsMs, steadyMs } from '../replicas/balance.ts';
import { zoneCost } from '../replicas/placement.ts';
import type { FleetNode, FleetSet, FleetView, Seat } from './fleet-view.ts';
import { figuresOf, type Imbalance, type Shift } from './imbalance.ts';

/** A change that could be made for balance. */
export interface Candidate {
  readonly set: FleetSet;
  readonly type: 'lead' | 'move';
  /** Who is to lead, or to move. */
  readonly pod: string;
  readonly from: string;
  readonly to: string;
  /** Bytes that it copies. */
  readonly bytes: number;
  readonly shifts: readonly Shift[];
}

/** A set rests for so long after a move, whoever asked for it. */
export const restMs = 3_600_000;

const isReady = (set: FleetSet): boolean => set.settled && !set.busy && set.figures !== null && set.leader !== null;

const seatOf = (set: FleetSet, pod: string | null): Seat | undefined => set.seats.find((seat) => seat.pod === pod);

/** What changes when the lead goes from one node to another. */
const leadShifts = (set: FleetSet, from: string, to: string): Shift[] => {
  const { leaderWork, followerWork } = figuresOf(set);
  const work = leaderWork - followerWork;
  return [
    { node: from, primaries: -1, work: -work },
    { node: to, primaries: 1, work },
  ];
};

/** Changes of the primary: they cost a moment, and copy nothing. */
export const leadCandidates = ({ nodes, sets }: FleetView): Candidate[] => {
  const usable = new Set(nodes.filter((node) => node.usable).map(({ name }) => name));
  return sets.flatMap((set) => {
    const leader = seatOf(set, set.leader);
    if (!isReady(set) || leader === undefined || set.leadsForMs < leadsMs) return [];
    return set.seats
      .filter((seat) => seat !== leader && usable.has(seat.node))
      .map((seat): Candidate => {
        const [from, to] = [leader.node, seat.node];
        return { set, type: 'lead', pod: seat.pod, from, to, bytes: 0, shifts: leadShifts(set, from, to) };
      });
  });
};

/** How much worse the set would be spread over zones; negative: better. */
const spreadChange = (set: FleetSet, seat: Seat, to: Pick<FleetNode, 'zone'>): number => {
  const after = set.seats.map((one) => (one === seat ? to : one));
  return zoneCost(after) - zoneCost(set.seats);
};

const receives = (node: FleetNode, set: FleetSet): boolean =>
  node.usable &&
  node.steadyForMs >= steadyMs &&
  node.rebuilding === 0 &&
  !set.seats.some((seat) => seat.node === node.name);

/** A replica moves; when it leads, another one leads afterwards, and nobody knows which: the least favourable is assumed. */
const moveShifts = (set: FleetSet, seat: Seat, to: string, imbalance: Imbalance): readonly Shift[] => {
  const { bytes, followerWork } = figuresOf(set);
  const moved: Shift[] = [
    { node: seat.node, replicas: -1, bytes: -bytes, work: -followerWork },
    { node: to, replicas: 1, bytes, work: followerWork },
  ];
  if (seat.pod !== set.leader) return moved;
  const heirs = [to, ...set.seats.filter((one) => one !== seat).map(({ node }) => node)];
  const outcomes = heirs.map((heir) => [...moved, ...leadShifts(set, seat.node, heir)]);
  return outcomes.reduce((worst, one) => (imbalance.gain(one) < imbalance.gain(worst) ? one : worst));
};

/** Moves that copy no more than `mostBytes`, and leave the spread over zones as good as it is. */
export const moveCandidates = ({ nodes, sets }: FleetView, imbalance: Imbalance, mostBytes: number): Candidate[] => {
  const usable = new Set(nodes.filter((node) => node.usable).map(({ name }) => name));
  const mayMove = (set: FleetSet): boolean =>
    isReady(set) && figuresOf(set).bytes <= mostBytes && (set.lastMove === null || set.lastMove.agoMs >= restMs);
  return sets.filter(mayMove).flatMap((set) =>
    set.seats
      // what is on a closed node is left to those who look after safety
      .filter((seat) => usable.has(seat.node))
      .flatMap((seat) =>
        nodes
          .filter((node) => receives(node, set) && spreadChange(set, seat, node) <= 0)
          .map((node): Candidate => {
            const shifts = moveShifts(set, seat, node.name, imbalance);
            const { bytes } = figuresOf(set);
            return { set, type: 'move', pod: seat.pod, from: seat.node, to: node.name, bytes, shifts };
          }),
      ),
  );
};

/** Sets that could be spread better over zones: each looks after that itself, once it is woken. */
export const badlySpread = ({ nodes, sets }: FleetView): FleetSet[] =>
  sets.filter(
    (set) =>
      set.settled &&
      !set.busy &&
      nodes.some((node) => receives(node, set) && set.seats.some((seat) => spreadChange(set, seat, node) < 0)),
  );
