/** A change of one member key, in the order of the bucket's revisions. */
export interface MemberChange {
  readonly room: string;
  readonly user: string;
  readonly revision: number;
  readonly present: boolean;
}

interface RoomRoster {
  /** Revision of each key, absent members included: they are tombstones. */
  readonly keys: Map<string, { revision: number; present: boolean }>;
  count: number;
  /** The highest revision of any key of the room: what a compare-and-set of the room names. */
  revision: number;
}

/**
 * Who is a member of which room, as far as this gateway has heard. Pure bookkeeping: changes may come twice and late,
 * the higher revision of a key wins.
 */
export class Roster {
  readonly #rooms = new Map<string, RoomRoster>();
  readonly #roomsOfUser = new Map<string, Set<string>>();

  has(room: string, user: string): boolean {
    return this.#rooms.get(room)?.keys.get(user)?.present ?? false;
  }

  /** Number of members. */
  count(room: string): number {
    return this.#rooms.get(room)?.count ?? 0;
  }

  /** Highest revision heard of the room's member keys; 0 when there was none. */
  revision(room: string): number {
    return this.#rooms.get(room)?.revision ?? 0;
  }

  members(room: string): readonly string[] {
    const keys = this.#rooms.get(room)?.keys ?? new Map<string, { present: boolean }>();
    return [...keys].flatMap(([user, { present }]) => (present ? [user] : []));
  }

  /** Rooms that a user is a member of, sorted. */
  roomsOf(user: string): readonly string[] {
    return [...(this.#roomsOfUser.get(user) ?? [])].sort();
  }

  /** Takes a change. True when it changed whether the user is a member. */
  apply({ room, user, revision, present }: MemberChange): boolean {
    const roster = this.#room(room);
    roster.revision = Math.max(roster.revision, revision);
    const before = roster.keys.get(user);
    if (before !== undefined && before.revision >= revision) return false;
    roster.keys.set(user, { revision, present });
    if ((before?.present ?? false) === present) return false;
    roster.count += present ? 1 : -1;
    this.#index(user, room, present);
    return true;
  }

  /**
   * Replaces a room by a full listing. `asOf` is a revision that the listing surely covers; what was heard with a
   * higher one stays. Returns the users who ceased to be members.
   */
  replace(room: string, listing: readonly MemberChange[], asOf: number): readonly string[] {
    const before = this.members(room);
    const newer = [...this.#room(room).keys].filter(([, { revision }]) => revision > asOf);
    for (const user of before) this.#index(user, room, false);
    this.#rooms.delete(room);
    for (const change of listing) this.apply(change);
    for (const [user, { revision, present }] of newer) this.apply({ room, user, revision, present });
    return before.filter((user) => !this.has(room, user));
  }

  /** Rooms that have or had members. */
  rooms(): readonly string[] {
    return [...this.#rooms.keys()];
  }

  #room(room: string): RoomRoster {
    let roster = this.#rooms.get(room);
    if (roster === undefined) {
      roster = { keys: new Map(), count: 0, revision: 0 };
      this.#rooms.set(room, roster);
    }
    return roster;
  }

  #index(user: string, room: string, present: boolean): void {
    let rooms = this.#roomsOfUser.get(user);
    if (present) {
      if (rooms === undefined) this.#roomsOfUser.set(user, (rooms = new Set()));
      rooms.add(room);
    } else {
      rooms?.delete(room);
      if (rooms?.size === 0) this.#roomsOfUser.delete(user);
    }
  }
}
