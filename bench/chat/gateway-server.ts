// A chat gateway as `dataplane/main.ts chat-gateway` runs it, with the batch window from the command line and without the
// rate limit of clients. Arguments: the NATS URL, the window in ms.
import { putDirectory, testPod } from '../../dataplane/fabric/testing.ts';
import { startChat } from '../../dataplane/chat/start.ts';
import { roomEntry } from '../../dataplane/chat/testing/world.ts';

const [natsUrl = '', window = '10'] = process.argv.slice(2);
const pod = await testPod(natsUrl, 'chat-gateway', {
  QUARTET_POD: 'bench-gateway',
  QUARTET_PORT: '0',
  QUARTET_CHAT_DEVELOPMENT: 'true',
  QUARTET_CHAT_TOKEN_SECRET: 'a secret for the benchmark only',
});
await putDirectory(pod, 'chat', roomEntry({ name: 'bench', maxMembers: 10_000 }));
const gateway = await startChat(pod, {
  limits: { batchWindowMs: Number(window), commandsPerSecond: 1_000_000, commandBurst: 1_000_000 },
});
process.send?.({ port: gateway.port });
// the benchmark ended
process.on('disconnect', () => process.exit());
