// CPU and memory of a gateway that nobody uses, then with idle connections.
//   node bench/chat/idle.ts [connections]
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { startGatewayProcess } from '../../dataplane/chat/testing/gateway-process.ts';
import { roomEntry, startWorld } from '../../dataplane/chat/testing/world.ts';
import { putDirectory } from '../../dataplane/fabric/testing.ts';
import { cpuSeconds } from '../figures.ts';

const connections = Number(process.argv[2] ?? 1_000);
const seconds = 8;

const megabytes = async (pid: number): Promise<number> =>
  Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

const report = async (what: string, pid: number): Promise<void> => {
  const before = cpuSeconds(pid);
  await sleep(seconds * 1_000);
  const share = (cpuSeconds(pid) - before) / seconds;
  console.log(`| ${what} | ${(share * 100).toFixed(1)} % of a core | ${(await megabytes(pid)).toFixed(0)} MiB |`);
};

const world = await startWorld();
await putDirectory(world.operator, 'chat', roomEntry({ name: 'idle', maxMembers: 100_000 }));
const gateway = await startGatewayProcess(world.nats.url, 'idle');
await sleep(3_000);
await report('idle gateway', gateway.pid);
const sockets: WebSocket[] = [];
for (let i = 0; i < connections; i++) {
  const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/connection/websocket`);
  socket.on('message', (data: Buffer) => {
    if (data.toString() === '{}') socket.send('{}');
  });
  await once(socket, 'open');
  socket.send(`{"id":1,"connect":{"data":{"user":"u${i}"}}}\n{"id":2,"subscribe":{"channel":"room:idle"}}`);
  sockets.push(socket);
}
await sleep(3_000);
await report(`${connections} idle connections`, gateway.pid);
for (const socket of sockets) socket.terminate();
await gateway.kill('SIGTERM');
await world.stop();
process.exit(0);
