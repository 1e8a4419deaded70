/**
 * A process with many connections to a database that says nothing until it is asked:
 * `node idle-clients.ts PORT COUNT` prints `open` when all are there, and after a line on its input how many answer PING.
 * Node itself raises its limit of open files to what the system allows.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const [port = 0, count = 0] = process.argv.slice(2).map(Number);
/** Opened at the same time. */
const together = 200;

const open = async (): Promise<Socket> => {
  const socket = connect({ port, host: '127.0.0.1' });
  await once(socket, 'connect');
  return socket;
};

const answers = async (socket: Socket): Promise<boolean> => {
  socket.write('PING\r\n');
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  return bytes.toString() === '+PONG\r\n';
};

const sockets: Socket[] = [];
while (sockets.length < count) {
  const batch = Math.min(together, count - sockets.length);
  sockets.push(...(await Promise.all(Array.from({ length: batch }, open))));
}
process.stdout.write('open\n');
await once(process.stdin, 'data');
const answered = await Promise.all(sockets.map(answers));
process.stdout.write(`${answered.filter(Boolean).length}\n`);
process.exit(0);
