import { chatReport } from '../../contract/heartbeat.ts';
import type { RoomFigures } from './plan.ts';

/** Reports of a gateway that was silent for this long no longer count. It reports on change only, so presence is asked of heartbeats. */
interface Report {
  readonly rooms: Readonly<Record<string, RoomFigures>>;
}

/** What chat gateways last reported about their rooms. */
export class ChatReports {
  readonly #reports = new Map<string, Map<string, Report>>();
  readonly #isAlive: (namespace: string, pod: string) => boolean;

  /** `isAlive` tells whether a gateway still beats: figures of the dead do not count. */
  constructor(isAlive: (namespace: string, pod: string) => boolean) {
    this.#isAlive = isAlive;
  }

  /** Takes a report from `quartet.<namespace>.report.chat.<pod>`; returns the rooms that it speaks of. */
  take(subject: string, payload: unknown): { readonly namespace: string; readonly rooms: string[] } | null {
    const namespace = subject.split('.')[1];
    const parsed = chatReport.safeParse(payload);
    if (namespace === undefined || !parsed.success) return null;
    const pods = this.#reports.get(namespace) ?? new Map<string, Report>();
    const before = pods.get(parsed.data.pod);
    pods.set(parsed.data.pod, { rooms: parsed.data.rooms });
    this.#reports.set(namespace, pods);
    const rooms = new Set([...Object.keys(parsed.data.rooms), ...Object.keys(before?.rooms ?? {})]);
    return { namespace, rooms: [...rooms] };
  }

  /** What live gateways report of one room. Reports of dead ones are dropped. */
  of(namespace: string, room: string): RoomFigures[] {
    const found: RoomFigures[] = [];
    for (const [pod, report] of this.#reports.get(namespace) ?? []) {
      if (!this.#isAlive(namespace, pod)) this.#reports.get(namespace)?.delete(pod);
      else if (report.rooms[room]) found.push(report.rooms[room]);
    }
    return found;
  }
}
