import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Registry } from 'prom-client';
import type { Health } from './health.ts';

/** What the admin server shows. */
export interface AdminSources {
  readonly health: Health;
  readonly metrics: Registry;
}

const send = (response: ServerResponse, status: number, type: string, body: string): void => {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) }).end(body);
};

const answer = async (sources: AdminSources, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    send(response, 405, 'text/plain', 'only GET\n');
    return;
  }
  switch (request.url) {
    case '/healthz':
      send(response, 200, 'text/plain', 'ok\n');
      return;
    case '/readyz': {
      const readiness = sources.health.readiness();
      send(response, readiness.ready ? 200 : 503, 'application/json', `${JSON.stringify(readiness)}\n`);
      return;
    }
    case '/metrics':
      send(response, 200, sources.metrics.contentType, await sources.metrics.metrics());
      return;
    default:
      send(response, 404, 'text/plain', 'there are /healthz, /readyz and /metrics\n');
  }
};

/**
 * Serves /healthz (the process answers), /readyz (all checks ok, with their details) and /metrics (Prometheus text).
 * @throws the listen error when the address is taken
 */
export const startAdminServer = async (sources: AdminSources, host: string, port: number): Promise<Server> => {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 5_000 }, (request, response) => {
    answer(sources, request, response).catch((error: unknown) =>
      send(response, 500, 'text/plain', `${String(error)}\n`),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return server;
};
