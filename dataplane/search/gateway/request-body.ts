import express, { type Request, type RequestHandler } from 'express';
import { badRequest, SearchError } from '../search-error.ts';

/** Largest body of a request. */
export const maxBodyBytes = 32 * 1024 * 1024;
/** Bodies of all requests being worked on; beyond, requests are refused until some are done. */
const maxBytesInFlight = 128 * 1024 * 1024;

/** Reads bodies as text, whatever their content type; bounds one, and all together. */
export function bodyReaders(): RequestHandler[] {
  let inFlight = 0;
  const bound: RequestHandler = (request, response, next) => {
    const declared = Number(request.headers['content-length'] ?? 0);
    const expected =
      Number.isFinite(declared) && declared > 0
        ? declared
        : request.headers['transfer-encoding'] === undefined
          ? 0
          : maxBodyBytes;
    if (expected > 0 && expected <= maxBodyBytes && inFlight + expected > maxBytesInFlight) {
      throw new SearchError(
        'overloaded',
        'rejected_execution_exception',
        'too many bytes of requests are being worked on',
      );
    }
    inFlight += expected;
    response.once('close', () => (inFlight -= expected));
    next();
  };
  return [bound, express.text({ limit: maxBodyBytes, type: () => true, defaultCharset: 'utf-8' })];
}

/** The body as text; '' when there is none. */
export const bodyText = (request: Request): string => (typeof request.body === 'string' ? request.body : '');

/** The body as JSON; undefined when there is none. Throws bad-request. */
export function bodyJson(request: Request): unknown {
  const text = bodyText(request);
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw badRequest('parse_exception', `request body is not valid JSON: ${(error as Error).message.slice(0, 200)}`);
  }
}

/** A query parameter that is there once, as text. */
export function parameter(request: Request, name: string): string | undefined {
  const value = request.query[name];
  if (value === undefined) return undefined;
  if (typeof value === 'string') return value;
  throw badRequest('illegal_argument_exception', `parameter [${name}] must be given once`);
}

/** A path parameter, as text. */
export function pathPart(request: Request, name: string): string {
  const value = request.params[name];
  return typeof value === 'string' ? value : '';
}

/** A query parameter that is a whole number. Throws bad-request. */
export function wholeNumber(request: Request, name: string): number | undefined {
  const value = parameter(request, name);
  if (value === undefined) return undefined;
  if (/^\d{1,15}$/.test(value)) return Number(value);
  throw badRequest(
    'illegal_argument_exception',
    `Failed to parse int parameter [${name}] with value [${value.slice(0, 50)}]`,
  );
}

/** A switch: present without a value means true. Throws bad-request. */
export function flag(request: Request, name: string): boolean {
  const value = parameter(request, name);
  if (value === undefined || value === 'false') return false;
  if (value === '' || value === 'true') return true;
  throw badRequest(
    'illegal_argument_exception',
    `Failed to parse value [${value.slice(0, 50)}] as only [true] or [false] are allowed.`,
  );
}
