import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { disconnects } from '../protocol/disconnect.ts';
import type { Services } from '../services.ts';
import { Connection } from './connection.ts';
import { Outbox } from './outbox.ts';
import { TimingWheel } from './timing-wheel.ts';

/** Where clients connect. */
export const websocketPath = '/connection/websocket';

/** The connections of a gateway. */
export interface WebsocketServer {
  readonly connections: ReadonlySet<Connection>;
  /** Closes all connections so that clients come back elsewhere, and takes no new ones. */
  stop(): Promise<void>;
}

/** Connections closed in one turn at shutdown, so that clients do not all come back in the same instant. */
const closeAtOnce = 500;

const refuse = (socket: Duplex, status: string): void => {
  socket.on('error', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
};

const isOurs = (request: IncomingMessage): boolean => request.url?.split('?', 1)[0] === websocketPath;

/** Accepts WebSockets on the HTTP server. One second is one tick of all timers; `tickMs` shortens it for tests. */
export const serveWebsockets = (http: Server, services: Services, tickMs = 1_000): WebsocketServer => {
  const { limits, logger, metrics } = services;
  const connections = new Set<Connection>();
  const wheel = new TimingWheel();
  const ticking = setInterval(() => wheel.tick(), tickMs);
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: limits.maxFrameBytes,
    clientTracking: false,
    skipUTF8Validation: false,
  });
  let stopping = false;

  const accept = (websocket: WebSocket, socket: Duplex): void => {
    const outbox = new Outbox(socket, limits.maxUnsentBytes, () => connection.disconnect(disconnects.slow));
    const connection = new Connection({
      services,
      outbox,
      transport: websocket,
      wheel,
      onClosed: (closed) => {
        connections.delete(closed);
        metrics.connections.set(connections.size);
      },
    });
    connections.add(connection);
    metrics.connections.set(connections.size);
    websocket.on('message', (data, isBinary) => {
      if (isBinary) connection.disconnect(disconnects.badRequest);
      else connection.receive((data as Buffer).toString('utf8'));
    });
    websocket.on('close', () => connection.release());
    websocket.on('error', (error) => {
      logger.debug({ err: error, client: connection.client }, 'a WebSocket failed');
    });
  };

  http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (!isOurs(request)) return refuse(socket, '404 Not Found');
    if (stopping || connections.size >= limits.maxConnections) return refuse(socket, '503 Service Unavailable');
    sockets.handleUpgrade(request, socket, head, (websocket) => accept(websocket, socket));
  });

  return {
    connections,
    stop: async () => {
      stopping = true;
      let closed = 0;
      for (const connection of connections) {
        connection.disconnect(disconnects.shutdown);
        if (++closed % closeAtOnce === 0) await new Promise((resolve) => setTimeout(resolve, 20));
      }
      await new Promise((resolve) => setTimeout(resolve, closed === 0 ? 0 : 100));
      clearInterval(ticking);
    },
  };
};
