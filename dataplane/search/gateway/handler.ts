import type { Request, RequestHandler, Response } from 'express';

/** A route's work as a handler: what it throws or rejects with goes to the error handler. */
export function handler(work: (request: Request, response: Response) => Promise<void>): RequestHandler {
  return (request, response, next) => {
    work(request, response).catch(next);
  };
}
