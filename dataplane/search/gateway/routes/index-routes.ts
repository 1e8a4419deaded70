import type { Router } from 'express';
import { mappingsToJson } from '../../mapping/mapping-json.ts';
import { badRequest } from '../../search-error.ts';
import type { Gateway } from '../gateway.ts';
import { handler } from '../handler.ts';
import { overviewJson } from '../index-admin.ts';
import type { IndexRoute } from '../index-map.ts';
import { bodyJson, pathPart } from '../request-body.ts';

const replicasOf = ({ shards }: IndexRoute): number =>
  Math.max(0, Math.max(...shards.map((shard) => shard?.members.length ?? 0)) - 1);

/** Refuses what would have to name several indexes at once. */
function routeOne(gateway: Gateway, index: string): IndexRoute {
  if (/[*,]/.test(index) || index === '_all') {
    throw badRequest('illegal_argument_exception', `one index at a time: [${index.slice(0, 100)}] names several`);
  }
  return gateway.route(index);
}

/** Indexes: create, describe, drop, mappings, refresh. */
export function indexRoutes(router: Router, gateway: Gateway): void {
  router.put(
    '/:index',
    handler(async (request, response) => {
      const index = pathPart(request, 'index');
      await gateway.admin.create(routeOne(gateway, index), bodyJson(request));
      response.json({ acknowledged: true, shards_acknowledged: true, index });
    }),
  );
  router.get(
    '/:index',
    handler(async (request, response) => {
      const route = routeOne(gateway, pathPart(request, 'index'));
      response.json({ [route.index]: overviewJson(await gateway.admin.describe(route), replicasOf(route)) });
    }),
  );
  router.delete(
    '/:index',
    handler(async (request, response) => {
      await gateway.admin.drop(routeOne(gateway, pathPart(request, 'index')));
      response.json({ acknowledged: true });
    }),
  );
  router.get(
    '/:index/_settings',
    handler(async (request, response) => {
      const route = routeOne(gateway, pathPart(request, 'index'));
      const { settings } = overviewJson(await gateway.admin.describe(route), replicasOf(route)) as { settings: object };
      response.json({ [route.index]: { settings } });
    }),
  );
  mappingRoutes(router, gateway);
  refreshRoutes(router, gateway);
}

function mappingRoutes(router: Router, gateway: Gateway): void {
  router.get(
    ['/:index/_mapping', '/:index/_mappings'],
    handler(async (request, response) => {
      const route = routeOne(gateway, pathPart(request, 'index'));
      const { mappings } = await gateway.admin.describe(route);
      response.json({ [route.index]: { mappings: mappingsToJson(mappings) } });
    }),
  );
  for (const method of ['put', 'post'] as const) {
    router[method](
      ['/:index/_mapping', '/:index/_mappings'],
      handler(async (request, response) => {
        await gateway.admin.putMappings(routeOne(gateway, pathPart(request, 'index')), bodyJson(request));
        response.json({ acknowledged: true });
      }),
    );
  }
}

/** Writes are searchable as soon as they are acknowledged, so there is nothing to do but to say so. */
function refreshRoutes(router: Router, gateway: Gateway): void {
  const paths = ['/:index/_refresh', '/:index/_flush', '/:index/_forcemerge'];
  for (const method of ['get', 'post'] as const) {
    router[method](
      paths,
      handler(async (request, response) => {
        const route = routeOne(gateway, pathPart(request, 'index'));
        await gateway.admin.describe(route);
        response.json({ _shards: { total: route.of, successful: route.of, failed: 0 } });
      }),
    );
    router[method](['/_refresh', '/_flush'], (_, response) => {
      response.json({ _shards: { total: 0, successful: 0, failed: 0 } });
    });
  }
}
