import type { ChatRoomEntry } from '../../contract/directory.ts';
import { chatPartition } from '../../contract/subjects.ts';
import type { ChatRoomStatus } from '../../crds/chat-room.ts';
import { durationMs } from '../../crds/duration.ts';
import { foreignCondition } from '../foreign.ts';
import type { ChatRoom } from '../kinds.ts';
import type { NatsState } from '../nats-link.ts';
import { showFigures } from '../replica-set/figures.ts';
import type { DesiredCondition } from '../runtime/conditions.ts';

/** What gateways report of a room. */
export interface RoomFigures {
  readonly online: number;
  readonly members: number;
  readonly messages: number;
}

export interface ChatRoomObserved {
  readonly room: ChatRoom;
  readonly nats: NatsState;
  /** Chat gateway pods that are available in the namespace. */
  readonly gateways: number;
  /** Null: no gateway reported the room yet. */
  readonly figures: RoomFigures | null;
  readonly figuresSinceMs: number;
  /** The directory holds the room's document. */
  readonly published: boolean;
  /** Objects of the gateway's names that belong to somebody else. */
  readonly foreign: readonly string[];
}

export interface ChatRoomPlan {
  readonly entry: ChatRoomEntry;
  readonly status: Omit<ChatRoomStatus, 'conditions'>;
  readonly conditions: readonly DesiredCondition[];
  readonly requeueAfterMs?: number | undefined;
}

const unfitRetryMs = 60_000;

/** The routing document of a room. */
export const chatRoomEntry = ({ metadata, spec }: ChatRoom, closing: boolean): ChatRoomEntry => ({
  kind: 'chat',
  namespace: metadata.namespace ?? '',
  name: metadata.name,
  displayName: spec.displayName === '' ? metadata.name : spec.displayName,
  type: spec.type,
  maxMembers: spec.maxMembers,
  retention: {
    maxAgeSeconds: Math.round(durationMs(spec.retention.maxAge) / 1000),
    maxMessages: spec.retention.maxMessages,
  },
  fileUpload: spec.fileUpload,
  moderation: spec.moderation.level,
  closing,
});

const readiness = ({ nats, gateways, published }: ChatRoomObserved): DesiredCondition => {
  const no = (reason: string, message: string): DesiredCondition => ({ type: 'Ready', status: false, reason, message });
  if (nats.state === 'unfit') return no('MessagingUnfit', nats.problem);
  if (nats.state === 'away') return no('MessagingUnavailable', nats.problem);
  if (!published) return no('NotPublished', 'gateways do not know the room yet');
  if (gateways === 0) return no('GatewayUnavailable', 'no chat-gateway pod is available');
  return { type: 'Ready', status: true, reason: 'Serving', message: `${gateways} gateways serve the room` };
};

const figuresOf = ({ room, figures, figuresSinceMs }: ChatRoomObserved): RoomFigures => {
  const { online, members, messages } = room.status ?? {};
  const held = Object.fromEntries(
    Object.entries({ online, members, messages }).filter(([, value]) => value !== undefined),
  ) as Partial<RoomFigures>;
  if (figures === null) return { online: 0, members: 0, messages: 0, ...held };
  return showFigures({ ...held }, { ...figures }, figuresSinceMs);
};

const conditionsOf = (observed: ChatRoomObserved): DesiredCondition[] => {
  const { nats, gateways } = observed;
  const ready = readiness(observed);
  const degraded = nats.state === 'ok' && gateways === 0;
  const progressing: DesiredCondition =
    nats.state === 'ok' && ready.status === false
      ? { type: 'Progressing', status: true, reason: 'Reconciling', message: ready.message ?? '' }
      : { type: 'Progressing', status: false, reason: 'Settled' };
  const reason = degraded ? 'GatewayUnavailable' : 'AsDesired';
  return [ready, progressing, { type: 'Degraded', status: degraded, reason }, ...foreignCondition(observed.foreign)];
};

/** Decides all about one ChatRoom: its document, and its status. Gateways do the rest. */
export const planChatRoom = (observed: ChatRoomObserved): ChatRoomPlan => {
  const { metadata } = observed.room;
  return {
    entry: chatRoomEntry(observed.room, false),
    status: {
      ...(metadata.generation === undefined ? {} : { observedGeneration: metadata.generation }),
      partition: chatPartition(metadata.name),
      ...figuresOf(observed),
    },
    conditions: conditionsOf(observed),
    requeueAfterMs: requeueOf(observed.nats, observed.published),
  };
};

const requeueOf = (nats: NatsState, published: boolean): number | undefined => {
  if (nats.state === 'unfit') return unfitRetryMs;
  return nats.state === 'ok' && !published ? 200 : undefined;
};

/** Sums what the gateways of a namespace report of one room: users online add up, the rest is the same everywhere. */
export const sumFigures = (reports: readonly RoomFigures[]): RoomFigures | null => {
  if (reports.length === 0) return null;
  return {
    online: reports.reduce((sum, { online }) => sum + online, 0),
    members: Math.max(...reports.map(({ members }) => members)),
    messages: Math.max(...reports.map(({ messages }) => messages)),
  };
};
