import { type ServerResponse, STATUS_CODES } from 'node:http';

function send(response: ServerResponse, status: number, type: string, text: string): void {
  if (response.headersSent || response.destroyed) return;
  const body = Buffer.from(text);
  response.writeHead(status, STATUS_CODES[status], {
    'Content-Type': type,
    'Content-Length': body.byteLength,
    'Cache-Control': 'no-store',
  });
  response.end(body);
}

/** An answer of the router's own, as JSON. */
export const sendJson = (response: ServerResponse, status: number, value: unknown): void =>
  send(response, status, 'application/json', `${JSON.stringify(value, null, 2)}\n`);

/** An answer of the router's own, as one line of text. */
export const sendText = (response: ServerResponse, status: number, line: string): void =>
  send(response, status, 'text/plain; charset=utf-8', `${line}\n`);
