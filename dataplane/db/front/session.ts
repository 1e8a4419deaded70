import type { Frame } from '../resp/frame.ts';
import type { Protocol, ReplyWriter } from '../resp/reply-writer.ts';
import type { Router } from '../gateway/router.ts';
import type { Waiter } from '../gateway/request.ts';
import type { CommandDescription, KeyCommand, ShardCommand } from '../commands/command.ts';
import type { CommandTable } from '../commands/table.ts';
import type { CommandFigures, CommandStats } from './command-stats.ts';
import type { ScanCursors } from './scan-cursors.ts';
import type { SlowLog } from './slow-log.ts';
import type { Subscriptions } from './subscriptions.ts';
import type { Watches } from './watches.ts';
import type { ServerFacts } from './server-facts.ts';

/** Commands between MULTI and EXEC. */
export interface QueuedTransaction {
  readonly commands: Buffer[];
  readonly keys: string[];
  bytes: number;
  writes: boolean;
  /** A command was refused: EXEC will be as well. */
  broken: boolean;
}

/** What a server remembers about one client. */
export interface Session {
  readonly id: number;
  readonly address: string;
  readonly localAddress: string;
  readonly since: number;
  name: string;
  library: string;
  libraryVersion: string;
  protocol: Protocol;
  /** Null: the namespace's default. */
  database: string | null;
  transaction: QueuedTransaction | null;
  /** Versions of watched keys. */
  readonly watched: Map<string, number>;
  /** READONLY: by shard, the sequence of its log that was seen; null: every read is linearizable. */
  readOnly: Map<string, number> | null;
  lastCommand: string;
  /** Bytes that wait until the client reads. */
  unread: () => number;
  /** What it is subscribed to. */
  readonly channels: Set<string>;
  readonly patterns: Set<string>;
  /** It is told changes (QWATCH). */
  watching: boolean;
}

/** Answers a command over a connection. */
export interface Client {
  readonly session: Session;
  /** Whose figures the replies of the command that was read now go to; null: nobody's. */
  begin(figures: CommandFigures | null): void;
  /** Holds the next reply's place, which is filled later. */
  place(): Waiter;
  /** What was replied and is not sent yet goes with the reply of the newest place, if that is the only one missing. */
  hold(): void;
  /** The next reply. */
  answer(reply: Buffer): void;
  /** Sends bytes that are no reply, before those that are not there yet. */
  push(bytes: Buffer): void;
  /** Resolves when what waits to be read by the client is little, or it is gone. */
  drained(): Promise<void>;
  /** No further command is read until {@link unblock}, as often as it was called. */
  block(): void;
  unblock(): void;
  /** Closes when all replies are sent. */
  closeAfterReplies(): void;
}

/** What all connections of a server share. */
export interface Server {
  readonly router: Router;
  readonly facts: ServerFacts;
  readonly cursors: ScanCursors;
  readonly subscriptions: Subscriptions;
  readonly watches: Watches;
  readonly slowLog: SlowLog;
  readonly stats: CommandStats;
  readonly commands: CommandTable<ServerCommand>;
  sessions(): Iterable<Session>;
}

/** A command that the front end carries out itself. */
export interface SessionCommand extends CommandDescription {
  readonly kind: 'session';
  /** What it does between MULTI and EXEC: it is queued, runs at once, or breaks the transaction. */
  readonly inTransaction: 'queue' | 'run' | 'refuse';
  /** Writes its reply, or calls `client.place()` and writes none. @throws DbError */
  run(client: Client, frame: Frame, reply: ReplyWriter, server: Server): void;
}

/** Any command that clients may send. */
export type ServerCommand = SessionCommand | KeyCommand | ShardCommand;

export const newSession = (id: number, address: string, localAddress: string): Session => ({
  id,
  address,
  localAddress,
  since: Date.now(),
  name: '',
  library: '',
  libraryVersion: '',
  protocol: 2,
  database: null,
  transaction: null,
  watched: new Map(),
  readOnly: null,
  lastCommand: '',
  unread: () => 0,
  channels: new Set(),
  patterns: new Set(),
  watching: false,
});

/** As after connecting: RESET. */
export const resetSession = (session: Session): void => {
  session.name = '';
  session.protocol = 2;
  session.database = null;
  session.transaction = null;
  session.watched.clear();
  session.readOnly = null;
};
