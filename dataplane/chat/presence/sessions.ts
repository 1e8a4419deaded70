import type { ClientInfo } from '../protocol/reply.ts';

/** One connection of a user to this gateway. */
export interface SessionInfo extends ClientInfo {
  /** Unix milliseconds. */
  readonly connectedAt: number;
}

/** The connections of this gateway by user, and who of them is in which room. */
export class Sessions {
  readonly #byUser = new Map<string, Map<string, SessionInfo>>();
  readonly #byRoom = new Map<string, Map<string, ClientInfo>>();
  #count = 0;

  /** Connections. */
  get count(): number {
    return this.#count;
  }

  /** Distinct users. */
  get users(): number {
    return this.#byUser.size;
  }

  /** Rooms that somebody here is subscribed to. */
  get rooms(): readonly string[] {
    return [...this.#byRoom.keys()];
  }

  add(session: SessionInfo): void {
    let sessions = this.#byUser.get(session.user);
    if (sessions === undefined) this.#byUser.set(session.user, (sessions = new Map()));
    sessions.set(session.client, session);
    this.#count++;
  }

  /** Removes a connection. True when it was the user's last one here. */
  remove({ user, client }: ClientInfo): boolean {
    const sessions = this.#byUser.get(user);
    if (sessions?.delete(client) !== true) return false;
    this.#count--;
    if (sessions.size > 0) return false;
    this.#byUser.delete(user);
    return true;
  }

  enter(room: string, info: ClientInfo): void {
    let clients = this.#byRoom.get(room);
    if (clients === undefined) this.#byRoom.set(room, (clients = new Map()));
    clients.set(info.client, info);
  }

  exit(room: string, client: string): void {
    const clients = this.#byRoom.get(room);
    clients?.delete(client);
    if (clients?.size === 0) this.#byRoom.delete(room);
  }

  sessionsOf(user: string): readonly SessionInfo[] {
    return [...(this.#byUser.get(user)?.values() ?? [])];
  }

  /** Connections in a room. */
  inRoom(room: string): readonly ClientInfo[] {
    return [...(this.#byRoom.get(room)?.values() ?? [])];
  }

  /** Connections in a room, counted. */
  sizeOf(room: string): number {
    return this.#byRoom.get(room)?.size ?? 0;
  }

  /** Distinct users in a room. */
  usersIn(room: string): ReadonlySet<string> {
    return new Set([...(this.#byRoom.get(room)?.values() ?? [])].map(({ user }) => user));
  }
}
