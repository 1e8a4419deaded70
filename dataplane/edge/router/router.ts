import type { IncomingMessage, ServerResponse } from 'node:http';
import { contentClassOfPath } from '../policy/content-policy.ts';
import { cacheKey } from '../policy/stored-response.ts';
import { type EdgeRequest, readRequest } from '../serve/edge-request.ts';
import type { OriginPools } from '../serve/origin-exchange.ts';
import { clientPrefix, LastChoices } from './client-prefix.ts';
import type { Endpoint, Fleet } from './fleet.ts';
import type { GeoIp } from './geoip.ts';
import { parsePlace, type Place } from './geo.ts';
import { proxy } from './proxy.ts';
import { rendezvous } from './rendezvous.ts';
import { type Decision, type Strategy, selectEdges } from './select.ts';
import { sendJson, sendText } from './send.ts';
import type { TrustedProxies } from './trusted-proxies.ts';

export interface RouterOptions {
  readonly fleet: Fleet;
  readonly pools: OriginPools;
  readonly geoip: GeoIp;
  readonly trusted: TrustedProxies;
  readonly mode: 'proxy' | 'redirect';
  readonly strategy: Strategy;
  /** Carries out `POST /.quartet/purge` and PURGE; the caller is trusted. */
  purge(message: IncomingMessage, response: ServerResponse, request: EdgeRequest): void;
}

/** Where a client is and how that is known. */
export interface ClientPlace {
  readonly address: string | undefined;
  readonly country: string | undefined;
  readonly place: Place | undefined;
  readonly source: 'x-client-location' | 'geoip' | 'unknown';
}

/** Path under which the router answers itself. */
export const ownPrefix = '/.quartet/';

const header = (message: IncomingMessage, name: string): string | undefined => {
  const value = message.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
};

/** Sends each request to the edge that suits its client best. */
export class Router {
  private readonly options: RouterOptions;
  private readonly last = new LastChoices();
  private turn = 0;

  constructor(options: RouterOptions) {
    this.options = options;
  }

  /** Answers one request. Never throws. */
  handle(message: IncomingMessage, response: ServerResponse): void {
    const request = readRequest(message);
    if ('refused' in request) {
      response.setHeader('Connection', 'close');
      sendText(response, request.status, `Bad Request: ${request.refused}`);
      return;
    }
    if (request.method === 'PURGE' || request.target.startsWith(ownPrefix)) this.handleOwn(message, response, request);
    else this.route(message, response, request);
  }

  /** Decides for a client without sending anything. */
  decide(client: ClientPlace, request: Pick<EdgeRequest, 'target' | 'key'>, now: number): Decision {
    const { fleet, strategy } = this.options;
    return selectEdges({
      candidates: fleet.candidates(request.target, now),
      client: client.place,
      strategy,
      previous: this.last.get(clientPrefix(client.address), now),
      key: request.key,
      turn: this.turn,
    });
  }

  /** Where the sender of a request is. Only trusted proxies may say. */
  locate(message: IncomingMessage): ClientPlace {
    const { trusted } = this.options;
    const peer = message.socket.remoteAddress;
    const address = trusted.clientAddress(peer, header(message, 'x-forwarded-for'));
    const told = trusted.trusts(peer) ? parsePlace(header(message, 'x-client-location') ?? '') : undefined;
    return this.placeOf(address, told);
  }

  private placeOf(address: string | undefined, told: Place | undefined): ClientPlace {
    if (told !== undefined) return { address, country: undefined, place: told, source: 'x-client-location' };
    const located = this.options.geoip.locate(address);
    return {
      address,
      country: located?.country,
      place: located?.place,
      source: located?.place === undefined ? 'unknown' : 'geoip',
    };
  }

  private route(message: IncomingMessage, response: ServerResponse, request: EdgeRequest): void {
    const now = Date.now();
    const client = this.locate(message);
    const decision = this.decide(client, request, now);
    this.turn++;
    if (header(message, 'x-quartet-explain') === '1') {
      sendJson(response, 200, this.explanation(client, request.target, decision));
      return;
    }
    const [chosen] = decision.order;
    const endpoints = decision.order.flatMap((name) =>
      rendezvous(request.key, this.options.fleet.endpoints(name, now), (endpoint) => endpoint.pod),
    );
    if (chosen === undefined || endpoints.length === 0) {
      sendUnavailable(response);
      return;
    }
    this.last.set(clientPrefix(client.address), chosen, now);
    this.send(message, response, { request, client, endpoints });
  }

  private send(
    message: IncomingMessage,
    response: ServerResponse,
    how: { readonly request: EdgeRequest; readonly client: ClientPlace; readonly endpoints: readonly Endpoint[] },
  ): void {
    const { request, endpoints } = how;
    const [first] = endpoints;
    if (this.options.mode === 'redirect' && first !== undefined) {
      // 307 keeps the method and its content (RFC 9110 section 15.4.8).
      const status = request.method === 'GET' || request.method === 'HEAD' ? 302 : 307;
      response.writeHead(status, { Location: `${first.url}${request.target}`, 'Cache-Control': 'no-store' });
      response.end();
      return;
    }
    proxy({
      message,
      response,
      request,
      endpoints,
      pools: this.options.pools,
      fleet: this.options.fleet,
      forwardedFor: this.forwardedFor(message),
      onExhausted: () => sendUnavailable(response),
    });
  }

  /** The chain of addresses for the edge: what an untrusted peer claims about it is dropped. */
  private forwardedFor(message: IncomingMessage): string {
    const peer = message.socket.remoteAddress ?? '';
    const claimed = header(message, 'x-forwarded-for');
    return claimed !== undefined && this.options.trusted.trusts(peer) ? `${claimed}, ${peer}` : peer;
  }

  private handleOwn(message: IncomingMessage, response: ServerResponse, request: EdgeRequest): void {
    const url = URL.parse(request.target, 'http://router');
    if (url?.pathname === `${ownPrefix}route`) {
      this.explain(message, response, url.searchParams);
    } else if (request.method === 'PURGE' || url?.pathname === `${ownPrefix}purge`) {
      if (!this.options.trusted.trusts(message.socket.remoteAddress)) {
        sendText(response, 403, 'Forbidden: only QUARTET_TRUSTED_PROXIES may purge');
      } else {
        this.options.purge(message, response, request);
      }
    } else {
      sendText(response, 404, `Not Found: there are ${ownPrefix}route and ${ownPrefix}purge`);
    }
  }

  /** `/.quartet/route?ip=…&location=lat,lon&path=…`: which edge would be chosen, and why. */
  private explain(message: IncomingMessage, response: ServerResponse, query: URLSearchParams): void {
    const path = query.get('path') ?? '/';
    const told = parsePlace(query.get('location') ?? '');
    const ip = query.get('ip');
    const answer = (): void => {
      const client = ip === null && told === undefined ? this.locate(message) : this.placeOf(ip ?? undefined, told);
      const asked = { target: path, key: cacheKey(header(message, 'host') ?? '', path) };
      sendJson(response, 200, this.explanation(client, path, this.decide(client, asked, Date.now())));
    };
    // Someone who asks about an address wants the database's answer, not what is known before it is loaded.
    if (ip === null) answer();
    else void this.options.geoip.load().then(answer, answer);
  }

  private explanation(client: ClientPlace, path: string, decision: Decision): unknown {
    return {
      chosen: decision.order[0] ?? null,
      reason: decision.reason,
      client,
      path,
      contentClass: contentClassOfPath(path),
      mode: this.options.mode,
      strategy: decision.strategy,
      loadCap: decision.loadCap,
      candidates: decision.candidates,
    };
  }
}

function sendUnavailable(response: ServerResponse): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.setHeader('Retry-After', '1');
  sendText(response, 503, 'Service Unavailable: no edge can take requests now');
}
