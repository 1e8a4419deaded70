import type { Logger } from 'pino';
import type { ChatRoomEntry } from '../../contract/directory.ts';
import type { Tokens } from './connection/token.ts';
import type { ChatLimits } from './limits.ts';
import type { Members } from './membership/members.ts';
import type { Users } from './membership/users.ts';
import type { Notifier } from './presence/notifier.ts';
import type { Presence } from './presence/presence.ts';
import type { Sessions } from './presence/sessions.ts';
import type { HubRegistry } from './room/hub-registry.ts';
import type { MessageLog } from './store/message-log.ts';
import type { ChatMetrics } from './metrics.ts';

/** All that commands and the HTTP API work with. */
export interface Services {
  readonly gateway: string;
  readonly limits: ChatLimits;
  readonly development: boolean;
  /** The room of that name, unless it does not exist or is being deleted. */
  readonly room: (name: string) => ChatRoomEntry | null;
  /** All rooms that are not being deleted. */
  readonly rooms: () => readonly ChatRoomEntry[];
  readonly tokens: Tokens;
  readonly log: MessageLog;
  readonly hubs: HubRegistry;
  readonly members: Members;
  readonly users: Users;
  readonly sessions: Sessions;
  readonly presence: Presence;
  readonly notifier: Notifier;
  readonly metrics: ChatMetrics;
  readonly logger: Logger;
}
