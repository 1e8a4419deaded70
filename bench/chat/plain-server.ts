// The peer: what a first version of a chat server looks like. Each message is stringified once and sent to all.
import { once } from 'node:events';
import { WebSocketServer } from 'ws';

const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
server.on('connection', (socket) => {
  socket.on('message', (data: Buffer) => {
    const { user, content } = JSON.parse(data.toString()) as { user: string; content: string };
    const text = JSON.stringify({ user, content, timestamp: Date.now() });
    for (const client of server.clients) client.send(text);
  });
});
await once(server, 'listening');
const address = server.address();
process.send?.({ port: typeof address === 'object' && address !== null ? address.port : 0 });
// the benchmark ended
process.on('disconnect', () => process.exit());
