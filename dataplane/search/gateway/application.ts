import express, { type ErrorRequestHandler, type Express } from 'express';
import { Counter, Histogram } from 'prom-client';
import type { Pod } from '../../fabric/pod.ts';
import { SearchError } from '../search-error.ts';
import type { Gateway } from './gateway.ts';
import { errorBody, errorBodyOf } from './http-error.ts';
import { bodyReaders, maxBodyBytes } from './request-body.ts';
import { clusterRoutes } from './routes/cluster-routes.ts';
import { documentRoutes } from './routes/document-routes.ts';
import { indexRoutes } from './routes/index-routes.ts';
import { rootRoutes } from './routes/root-routes.ts';
import { searchRoutes } from './routes/search-routes.ts';

/** What the HTTP interface needs of its pod. */
export type GatewayPod = Pick<Pod, 'log' | 'metrics'> & {
  readonly env: Pick<Pod['env'], 'QUARTET_POD' | 'QUARTET_NAMESPACE'>;
};

/** An error that express or its body reader made: it has a status of its own. */
interface HttpError {
  readonly status: number;
  readonly type?: string;
  readonly message: string;
}

const isHttpError = (error: unknown): error is HttpError =>
  typeof error === 'object' &&
  error !== null &&
  'status' in error &&
  typeof error.status === 'number' &&
  error.status < 500;

function bodyOf(error: unknown): ReturnType<typeof errorBody> {
  if (!isHttpError(error)) return errorBodyOf(error);
  const reason =
    error.status === 413 ? `request body is larger than ${maxBodyBytes} bytes` : error.message.slice(0, 200);
  return errorBody(
    error.status,
    error.status === 413 ? 'content_too_long_exception' : 'illegal_argument_exception',
    reason,
  );
}

function errorHandler(pod: GatewayPod): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    const body = bodyOf(error);
    if (body.status >= 500 && !(error instanceof SearchError))
      pod.log.error({ err: error, path: request.path }, 'a request failed');
    if (response.headersSent) {
      next(error);
      return;
    }
    response.status(body.status).json(body);
  };
}

/** The HTTP interface of one gateway: a subset of OpenSearch's REST API. */
export function application(pod: GatewayPod, gateway: Gateway): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  app.use(bodyReaders());
  const metrics = {
    seconds: new Histogram({
      name: 'quartet_search_seconds',
      help: 'Time to answer a search',
      labelNames: ['source'] as const,
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers: [pod.metrics],
    }),
    partial: new Counter({
      name: 'quartet_search_partial_total',
      help: 'Searches answered without some shards',
      registers: [pod.metrics],
    }),
  };
  rootRoutes(app, pod);
  clusterRoutes(app, gateway, pod);
  searchRoutes(app, gateway, metrics);
  documentRoutes(app, gateway);
  indexRoutes(app, gateway);
  app.use((request, response) => {
    const reason = `no handler found for uri [${request.path.slice(0, 200)}] and method [${request.method}]`;
    response.status(400).json(errorBody(400, 'illegal_argument_exception', reason));
  });
  app.use(errorHandler(pod));
  return app;
}
