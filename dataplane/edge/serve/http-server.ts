import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** Deadlines in ms, bounds in bytes and numbers. */
export interface ServerLimits {
  /** For a request's head: slow senders are cut off. */
  readonly headersMs: number;
  /** For a whole request. */
  readonly requestMs: number;
  /** Silence on a connection with a request under way. */
  readonly idleMs: number;
  /** Silence between two requests. */
  readonly keepAliveMs: number;
  readonly headerBytes: number;
  readonly connections: number;
}

export const defaultServerLimits: ServerLimits = {
  headersMs: 10_000,
  requestMs: 300_000,
  idleMs: 60_000,
  keepAliveMs: 65_000,
  headerBytes: 32 * 1024,
  connections: 10_000,
};

const statusOfFault: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** Answers what is no HTTP request with an error and closes the connection (RFC 9112 section 2.2). */
function refuse(error: Error & { code?: string }, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const status = statusOfFault[error.code ?? ''] ?? 400;
  const reason = STATUS_CODES[status] ?? 'Bad Request';
  const body = `${reason}\n`;
  const head = `HTTP/1.1 ${status} ${reason}\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
  socket.end(head + body, () => socket.destroy());
}

/** An HTTP/1.1 server with limits against senders that are slow, large or malformed. It does not listen yet. */
export function createHttpServer(
  handler: (message: IncomingMessage, response: ServerResponse) => void,
  limits: ServerLimits = defaultServerLimits,
): Server {
  const server = createServer(
    {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      keepAliveTimeout: limits.keepAliveMs,
      connectionsCheckingInterval: Math.min(1_000, limits.headersMs),
      insecureHTTPParser: false,
      requireHostHeader: true,
      noDelay: true,
    },
    handler,
  );
  server.timeout = limits.idleMs;
  server.maxConnections = limits.connections;
  // The size of the head is bounded; dropping fields silently beyond a count would change the request's meaning.
  server.maxHeadersCount = 0;
  // A client that closes its half after the request still gets its answer (undocumented, stable since Node 0.x).
  Object.assign(server, { httpAllowHalfOpen: true });
  server.on('clientError', refuse);
  server.on('connect', (_message: IncomingMessage, socket: Socket) => {
    socket.on('error', () => socket.destroy());
    socket.end('HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
  });
  return server;
}

/** Listens; resolves with the bound port. */
export async function listen(server: Server, host: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: 1024 }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return (server.address() as AddressInfo).port;
}

/** Stops taking connections, lets requests under way finish, and cuts what is left at the deadline (ms). */
export async function closeServer(server: Server, deadlineMs: number): Promise<void> {
  const timer = setTimeout(() => server.closeAllConnections(), deadlineMs);
  timer.unref();
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
  clearTimeout(timer);
}
