import { timingSafeEqual, createHash } from 'node:crypto';
import express, { type NextFunction, type Request, type Response } from 'express';
import { ChatError } from '../chat-error.ts';
import { replyErrorOf } from '../connection/outcome.ts';
import { replyErrors, withDetail, type ReplyError } from '../protocol/reply-error.ts';
import type { Services } from '../services.ts';
import { apiMethods } from './api-methods.ts';

/** A page to try a room by hand; it needs nothing but this gateway. */
const page = 'try-page.html';
const pagePolicy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'";

/** Largest body of a request in bytes: content, metadata and their JSON escapes. */
const maxBodyBytes = 128 * 1024;

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** The key may come as `X-API-Key: KEY` or `Authorization: apikey KEY`. Compared in constant time. */
const hasKey = (request: Request, key: string): boolean => {
  const authorization = request.get('authorization') ?? '';
  const given = request.get('x-api-key') ?? /^apikey (.+)$/i.exec(authorization)?.[1] ?? '';
  return timingSafeEqual(digest(given), digest(key));
};

/** HTTP status of a reply error, as Centrifugo's transport error mode maps them. */
export const statusOf = ({ code }: ReplyError): number => {
  const known: Record<number, number> = {
    100: 500,
    101: 401,
    102: 404,
    103: 403,
    104: 404,
    106: 413,
    111: 429,
    1000: 409,
    1003: 503,
  };
  return known[code] ?? 400;
};

const sendError = (response: Response, status: number, error: ReplyError): void => {
  response.status(status).json({ error: { code: error.code, message: error.message } });
};

const guard =
  (key: string | null) =>
  (request: Request, response: Response, next: NextFunction): void => {
    if (key === null) sendError(response, 503, withDetail(replyErrors.notAvailable, 'QUARTET_CHAT_API_KEY is not set'));
    else if (!hasKey(request, key)) sendError(response, 401, replyErrors.unauthorized);
    else next();
  };

const call = async (services: Services, request: Request, response: Response): Promise<void> => {
  const name = request.params['method'];
  const method = typeof name === 'string' && Object.hasOwn(apiMethods, name) ? apiMethods[name] : undefined;
  if (method === undefined) return sendError(response, 404, replyErrors.methodNotFound);
  try {
    const answer = await method(services, request.body ?? {});
    if (answer.ok) response.type('application/json').send(`{"result":${answer.json}}`);
    else sendError(response, statusOf(answer.error), answer.error);
  } catch (error) {
    const reply = replyErrorOf(error);
    const away = error instanceof ChatError && error.code === 'unavailable';
    if (!(error instanceof ChatError)) services.logger.error({ err: error, method: name }, 'an API call failed');
    sendError(response, away ? 503 : statusOf(reply), reply);
  }
};

/** What express passes when a body cannot be read: malformed JSON, too large, aborted. */
const onBadBody = (
  error: { status?: number; message: string },
  _: Request,
  response: Response,
  next: NextFunction,
): void => {
  if (response.headersSent) return next(error);
  const status = error.status !== undefined && error.status >= 400 && error.status < 500 ? error.status : 500;
  sendError(
    response,
    status,
    status === 500 ? replyErrors.internal : withDetail(replyErrors.badRequest, error.message),
  );
};

/** The HTTP API for servers: `POST /api/<method>` with a JSON body. `key` null answers 503 to all. */
export const httpApi = (services: Services, key: string | null): express.Express => {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use('/api', guard(key), express.json({ limit: maxBodyBytes, type: () => true }));
  app.get(
    '/',
    (_, response) =>
      void response.set('content-security-policy', pagePolicy).sendFile(page, { root: import.meta.dirname }),
  );
  app.post('/api/:method', (request, response) => call(services, request, response));
  app.use('/api', (_, response) =>
    sendError(response, 405, withDetail(replyErrors.badRequest, 'use POST /api/<method>')),
  );
  app.use((_, response) => void response.status(404).json({ error: replyErrors.methodNotFound }));
  app.use(onBadBody);
  return app;
};
