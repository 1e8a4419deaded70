import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Pod } from '../../fabric/pod.ts';
import { purgeRequest, selectionOf } from '../purge/purge-message.ts';
import { sendPurge } from '../purge/send-purge.ts';
import type { EdgeRequest } from '../serve/edge-request.ts';
import type { PurgeSelection } from '../serve/edge.ts';
import type { Fleet } from './fleet.ts';
import { sendJson, sendText } from './send.ts';

/** How long edges have to acknowledge (ms). */
const deadlineMs = 2_000;
const maxBodyBytes = 1024 * 1024;

async function readBody(message: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > maxBodyBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The selection that a request names; a line for the client when it names none. */
async function selectionFrom(message: IncomingMessage, request: EdgeRequest): Promise<PurgeSelection | string> {
  if (request.method === 'PURGE') return { keys: [request.key], prefixes: [], tags: [] };
  if (request.method !== 'POST') return 'Method Not Allowed: POST {"urls": [], "prefixes": [], "tags": []}';
  const body = await readBody(message);
  if (body === undefined) return `Content Too Large: at most ${maxBodyBytes} bytes`;
  const parsed = purgeRequest.safeParse(parseJson(body));
  if (!parsed.success) {
    const issues = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`);
    return `Bad Request: ${issues.join('; ')}`;
  }
  const selection = selectionOf(parsed.data);
  return 'badUrl' in selection ? `Bad Request: ${selection.badUrl} is not an absolute http URL` : selection;
}

const statusOfRefusal = (line: string): number => {
  if (line.startsWith('Method')) return 405;
  return line.startsWith('Content') ? 413 : 400;
};

/** Purges on behalf of a client: 200 when every edge acknowledged, 504 with the list of those that did not. */
export function purgeApi(
  pod: Pod,
  fleet: Fleet,
): (message: IncomingMessage, response: ServerResponse, request: EdgeRequest) => void {
  const answer = async (message: IncomingMessage, response: ServerResponse, request: EdgeRequest): Promise<void> => {
    const selection = await selectionFrom(message, request);
    if (typeof selection === 'string') {
      sendText(response, statusOfRefusal(selection), selection);
      return;
    }
    const targets = fleet.allEndpoints().map(({ pod, edge }) => ({ pod, edge }));
    const outcome = await sendPurge(pod.nats, pod.env.QUARTET_NAMESPACE, selection, { targets, deadlineMs });
    sendJson(response, outcome.missing.length === 0 ? 200 : 504, outcome);
  };
  return (message, response, request) => {
    answer(message, response, request).catch((error: unknown) => {
      pod.log.warn({ err: error }, 'a purge failed');
      sendText(response, 502, 'Bad Gateway: the purge could not be sent');
    });
  };
}
