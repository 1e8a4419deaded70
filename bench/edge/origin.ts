// The origin of the benchmark: 1 KiB, fresh for an hour. Prints its port.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const body = Buffer.alloc(1024, 'a');
const server = createServer((_message, response) => {
  response.writeHead(200, {
    'Content-Type': 'text/plain',
    'Content-Length': body.byteLength,
    'Cache-Control': 'public, max-age=3600',
    ETag: '"1"',
  });
  response.end(body);
});
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
