import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf } from '../errors.ts';

export interface LogEndpointOptions {
  /** Addresses of the nodes. */
  readonly hosts: readonly string[];
  readonly port: number;
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
  /** Directory of a pod's logs. @throws when there is no such pod */
  readonly directory: (pod: string) => string;
}

interface LogRequest {
  readonly pod: string;
  readonly container: string;
  readonly follow: boolean;
  readonly tailLines: number | undefined;
}

/** `/containerLogs/NAMESPACE/POD/CONTAINER?follow=true&tailLines=9`, as the API server asks. Undefined for anything else. */
export const parseLogRequest = (target: string): LogRequest | undefined => {
  const url = new URL(target, 'http://node');
  const match = /^\/containerLogs\/([^/]+)\/([^/]+)\/([^/]+)$/.exec(url.pathname);
  if (match?.[1] === undefined || match[2] === undefined || match[3] === undefined) return undefined;
  const tail = Number(url.searchParams.get('tailLines') ?? Number.NaN);
  return {
    pod: `${match[1]}/${match[2]}`,
    container: match[3],
    follow: url.searchParams.get('follow') === 'true',
    tailLines: Number.isInteger(tail) && tail >= 0 ? tail : undefined,
  };
};

/** The last lines of a text. */
export const lastLines = (text: string, count: number | undefined): string => {
  if (count === undefined) return text;
  const lines = text.split('\n');
  const ended = text.endsWith('\n') ? 1 : 0;
  return lines.slice(Math.max(0, lines.length - ended - count)).join('\n');
};

/** Sends what is appended to a file until the reader goes away. */
const follow = async (path: string, from: number, response: ServerResponse): Promise<void> => {
  let offset = from;
  while (!response.destroyed) {
    const { size } = await stat(path);
    if (size > offset) {
      for await (const chunk of createReadStream(path, { start: offset, end: size - 1 })) response.write(chunk);
      offset = size;
    }
    await sleep(300);
  }
};

const answer = async (
  options: LogEndpointOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> => {
  const asked = parseLogRequest(request.url ?? '/');
  if (asked === undefined) {
    response.writeHead(501).end('pods are processes here: only logs are served\n');
    return;
  }
  const path = join(options.directory(asked.pod), `${asked.container}.log`);
  const text = await readFile(path, 'utf8');
  response.writeHead(200, { 'content-type': 'text/plain' });
  response.write(lastLines(text, asked.tailLines));
  if (asked.follow) await follow(path, Buffer.byteLength(text), response);
  response.end();
};

/** What `kubectl logs` reaches through the API server: the nodes' kubelet port, for logs and nothing else. */
export const startLogEndpoint = async (options: LogEndpointOptions): Promise<{ close(): void }> => {
  const servers: Server[] = [];
  for (const host of options.hosts) {
    const server = createServer({ cert: options.certificate, key: options.key }, (request, response) => {
      answer(options, request, response).catch((error: unknown) => {
        if (!response.headersSent) response.writeHead(404);
        response.end(`${reasonOf(error)}\n`);
      });
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port: options.port }, resolve);
    });
    servers.push(server);
  }
  return {
    close() {
      for (const server of servers) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
};
