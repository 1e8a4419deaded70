import { expect, test } from 'vitest';
import { eventually, runningQuartet } from './quartet.ts';
import { ChatConversation } from './workloads/chat-conversation.ts';

const quartet = runningQuartet();
const { host, chat } = quartet.endpoints;

test('chat gateways killed under traffic: clients reconnect and get every message, none twice', async () => {
  await quartet.settled();
  const conversation = new ChatConversation(`ws://${host}:${chat}/connection/websocket`, 'lobby', `kill-${Date.now()}`);
  await conversation.start();
  for (const gateway of await quartet.pods('chat-gateway')) {
    const before = conversation.acknowledged;
    await eventually(async () => expect(conversation.acknowledged).toBeGreaterThan(before + 100), 30_000, 20);
    await quartet.quartet('kill', 'pod', gateway.name);
    await quartet.settled();
  }
  const before = conversation.acknowledged;
  await eventually(async () => expect(conversation.acknowledged).toBeGreaterThan(before + 100), 30_000, 20);
  const report = await conversation.finish();
  process.stdout.write(
    `chat gateways killed: ${JSON.stringify({ ...report, outageMs: conversation.outage.longestMs })}\n`,
  );
  expect(report).toMatchObject({ missing: [], doubled: [], ordered: true });
});
