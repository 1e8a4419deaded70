import { describe, expect, it, test } from 'vitest';
import { chatRoomEntry as entrySchema } from '../../contract/directory.ts';
import { chatRoomSpec } from '../../crds/chat-room.ts';
import type { ChatRoom } from '../kinds.ts';
import { chatRoomEntry, planChatRoom, sumFigures, type ChatRoomObserved } from './plan.ts';
import { ChatReports } from './reports.ts';

const room = (spec: object = {}, status?: object): ChatRoom =>
  ({
    apiVersion: 'quartet.dev/v1alpha1',
    kind: 'ChatRoom',
    metadata: { name: 'lobby', namespace: 'shop', generation: 1 },
    spec: chatRoomSpec.parse(spec),
    ...(status && { status }),
  }) as ChatRoom;

const observed = (over: Partial<ChatRoomObserved> = {}): ChatRoomObserved => ({
  room: room(),
  nats: { state: 'ok' },
  gateways: 2,
  figures: { online: 3, members: 5, messages: 7 },
  figuresSinceMs: 60_000,
  published: true,
  foreign: [],
  ...over,
});

describe('a chat room', () => {
  it('has the document that the contract asks for; its name stands in for a display name', () => {
    const entry = chatRoomEntry(room({ retention: { maxAge: '2h' } }), false);
    expect(entrySchema.parse(entry)).toEqual(entry);
    expect(entry).toMatchObject({ displayName: 'lobby', retention: { maxAgeSeconds: 7200, maxMessages: 10_000 } });
  });

  test.each<[string, Partial<ChatRoomObserved>, string]>([
    ['that gateways know', {}, 'Serving'],
    ['that gateways do not know yet', { published: false }, 'NotPublished'],
    ['without gateways', { gateways: 0 }, 'GatewayUnavailable'],
    ['without NATS', { nats: { state: 'away', problem: 'x' } }, 'MessagingUnavailable'],
    ['on an unfit NATS', { nats: { state: 'unfit', problem: 'x' } }, 'MessagingUnfit'],
  ])('%s says so', (_, over, reason) => {
    expect(planChatRoom(observed(over)).conditions[0]).toMatchObject({ type: 'Ready', reason });
  });

  it('shows its figures, and keeps them while no gateway reports', () => {
    expect(planChatRoom(observed()).status).toMatchObject({ online: 3, members: 5, messages: 7 });
    const held = room({}, { online: 1, members: 2, messages: 3 });
    expect(planChatRoom(observed({ room: held, figures: null })).status).toMatchObject({
      online: 1,
      members: 2,
      messages: 3,
    });
  });

  it('tells of objects that are of others, and what to do', () => {
    const { conditions } = planChatRoom(observed({ foreign: ['Deployment chat-gateway'] }));
    const message = expect.stringMatching(/left alone: Deployment chat-gateway; delete them or make this/) as string;
    expect(conditions).toContainEqual({ type: 'ObjectsForeign', status: true, reason: 'NameTaken', message });
  });

  it('that is settled is not looked at again', () => {
    expect(planChatRoom(observed()).requeueAfterMs).toBeUndefined();
  });
});

describe('reports of gateways', () => {
  it('add up users online; members and messages are the same everywhere', () => {
    const reports = [
      { online: 2, members: 9, messages: 40 },
      { online: 3, members: 9, messages: 41 },
    ];
    expect(sumFigures(reports)).toEqual({ online: 5, members: 9, messages: 41 });
    expect(sumFigures([])).toBeNull();
  });

  it('of dead gateways do not count', () => {
    const alive = new Set(['g1', 'g2']);
    const reports = new ChatReports((_, pod) => alive.has(pod));
    for (const pod of alive) {
      reports.take(`quartet.shop.report.chat.${pod}`, {
        pod,
        rooms: { lobby: { online: 1, members: 1, messages: 1 } },
      });
    }
    expect(reports.of('shop', 'lobby')).toHaveLength(2);
    alive.delete('g1');
    expect(reports.of('shop', 'lobby')).toHaveLength(1);
  });

  it('that are malformed are dropped', () => {
    expect(new ChatReports(() => true).take('quartet.shop.report.chat.g1', { rooms: 1 })).toBeNull();
  });
});
