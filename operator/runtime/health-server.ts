import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';

/** What the health server tells. */
export interface HealthSources {
  /** Named checks of readiness; a string says why one is not met. */
  readonly readiness: () => Readonly<Record<string, string | undefined>>;
  readonly metrics: Registry;
  /** Called before metrics are read, to bring gauges up to date. */
  readonly observe: () => void;
  /** What else is told as JSON, by path; undefined: there is no such page. */
  readonly page?: (path: string) => unknown;
}

/** An HTTP server for probes and metrics. */
export interface HealthServer {
  /** host:port */
  readonly address: string;
  close(): Promise<void>;
}

/**
 * Serves /healthz (the process answers), /readyz (503 and the reasons until all checks are met), /metrics, and pages.
 * @throws the listen error when the address is taken
 */
export async function startHealthServer(
  sources: HealthSources,
  address: { readonly host: string; readonly port: number },
): Promise<HealthServer> {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 5_000 }, (request, response) => {
    answer(sources, request, response).catch((error: unknown) => send(response, 500, `${String(error)}\n`));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(address.port, address.host, resolve);
  });
  server.unref();
  const bound = server.address() as AddressInfo;
  return { address: `${address.host}:${bound.port}`, close: () => close(server) };
}

async function answer(sources: HealthSources, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return send(response, 405, 'only GET and HEAD\n');
  const [path = ''] = (request.url ?? '').split('?');
  switch (path) {
    case '/healthz':
      return send(response, 200, 'ok\n');
    case '/readyz':
      return sendReadiness(response, Object.entries(sources.readiness()));
    case '/metrics':
      sources.observe();
      return send(response, 200, await sources.metrics.metrics(), sources.metrics.contentType);
    default:
      return sendPage(response, sources.page?.(path));
  }
}

function sendReadiness(response: ServerResponse, checks: readonly (readonly [string, string | undefined])[]): void {
  const text = checks.map(([name, why]) => `${why === undefined ? '[+]' : '[-]'} ${name}${why ? `: ${why}` : ''}\n`);
  send(response, checks.every(([, why]) => why === undefined) ? 200 : 503, text.join('') || 'ok\n');
}

function sendPage(response: ServerResponse, page: unknown): void {
  if (page === undefined) return send(response, 404, 'there are /healthz, /readyz and /metrics\n');
  send(response, 200, JSON.stringify(page), 'application/json');
}

function send(response: ServerResponse, status: number, body: string, type: string = 'text/plain'): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) }).end(body);
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
