import type { IncomingMessage, ServerResponse } from 'node:http';
import { withoutFields } from '../policy/fields.ts';
import { endToEndFields } from '../policy/hop-by-hop.ts';
import { isSafe } from '../policy/invalidation.ts';
import type { EdgeError } from '../serve/edge-error.ts';
import { statusOf } from '../serve/edge-error.ts';
import type { EdgeRequest } from '../serve/edge-request.ts';
import { sendInterim } from '../serve/interim.ts';
import type { OriginPools } from '../serve/origin-exchange.ts';
import { type Budget, Transfer } from '../serve/transfer.ts';
import type { Endpoint, Fleet } from './fleet.ts';
import { sendText } from './send.ts';

export interface ProxyJob {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly request: EdgeRequest;
  /** In the order in which they are tried. */
  readonly endpoints: readonly Endpoint[];
  readonly pools: OriginPools;
  readonly fleet: Fleet;
  readonly forwardedFor: string;
  /** No endpoint could be reached. */
  onExhausted(): void;
}

/** The router keeps no bodies. */
const noBudget: Budget = { reserve: () => false, release: () => undefined };

/** Fields that are for the router, or that it writes itself. */
const ownFields = new Set(['host', 'expect', 'x-forwarded-for', 'x-client-location', 'x-quartet-explain']);
/** How many edges one request may try. */
const maxTries = 3;

function fieldsOf(job: ProxyJob): string[] {
  const { request, forwardedFor } = job;
  const dropped = request.hasBody ? ownFields : new Set([...ownFields, 'content-length']);
  return [
    'Host',
    request.host,
    ...withoutFields(endToEndFields(request.fields), dropped),
    'X-Forwarded-For',
    forwardedFor,
  ];
}

/** Passes a request to an edge and its answer back, streaming; tries another edge when one cannot be reached. */
export function proxy(job: ProxyJob, attempt = 0): void {
  const endpoint = job.endpoints[attempt];
  if (endpoint === undefined || attempt >= maxTries) {
    job.onExhausted();
    return;
  }
  const { request, response, pools, fleet } = job;
  const startedAt = performance.now();
  const transfer = new Transfer(noBudget, 0);
  let answered = false;
  const exchange = pools.send(
    {
      origin: endpoint.url,
      method: request.method,
      target: request.target,
      fields: fieldsOf(job),
      body: request.hasBody ? job.message : null,
    },
    {
      onInterim: (status, fields) => sendInterim({ request, response, startedAt }, status, fields),
      onHead: (status, reason, fields) => {
        answered = true;
        fleet.answered(endpoint.pod, performance.now() - startedAt);
        if (start(job, { status, reason, fields })) transfer.attach(response);
        transfer.begin();
      },
      onData: (chunk) => transfer.append(chunk),
      onEnd: () => void transfer.end(),
      onError: (error) => {
        if (answered) transfer.fail();
        else failed(job, attempt, error);
      },
    },
  );
  transfer.connect(exchangeFlow(exchange));
}

const exchangeFlow = (exchange: { pause(): void; resume(): void; abort(): void }) => ({
  pause: () => exchange.pause(),
  resume: () => exchange.resume(),
  abandon: () => exchange.abort(),
});

/** Writes the head; true when the body follows. */
function start(
  { request, response }: ProxyJob,
  head: { readonly status: number; readonly reason: string; readonly fields: readonly string[] },
): boolean {
  if (response.destroyed || response.headersSent) return false;
  response.writeHead(head.status, head.reason, endToEndFields(head.fields));
  const follows = request.method !== 'HEAD' && head.status !== 204 && head.status !== 304;
  if (!follows) response.end();
  return follows;
}

function failed(job: ProxyJob, attempt: number, error: EdgeError): void {
  const { request, response, fleet } = job;
  const endpoint = job.endpoints[attempt];
  if (endpoint !== undefined && error.code !== 'overloaded') fleet.failed(endpoint.pod, Date.now());
  if (response.destroyed) return;
  // Nothing reached the edge, or nothing that repeating could harm (RFC 9110 section 9.2.2). A body is read only once.
  const repeatable = isSafe(request.method) && !request.hasBody;
  const untouched = isConnectFailure(error) && !job.message.readableDidRead;
  if (repeatable || untouched) {
    proxy(job, attempt + 1);
    return;
  }
  const status = statusOf(error.code);
  sendText(response, status, `the edge did not answer: ${error.message}`);
}

function isConnectFailure(error: EdgeError): boolean {
  const code = (error.cause as { code?: string } | undefined)?.code ?? '';
  return ['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT'].includes(code);
}
