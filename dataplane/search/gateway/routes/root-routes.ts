import type { Router } from 'express';
import type { GatewayPod } from '../application.ts';

/**
 * What clients check before they talk to us. The version is the one of OpenSearch whose API we follow; `number` decides
 * which requests its clients send.
 */
export function rootRoutes(router: Router, pod: GatewayPod): void {
  router.get('/', (_, response) => {
    response.json({
      name: pod.env.QUARTET_POD,
      cluster_name: `quartet-${pod.env.QUARTET_NAMESPACE}`,
      cluster_uuid: `quartet-${pod.env.QUARTET_NAMESPACE}`,
      version: {
        distribution: 'opensearch',
        number: '2.17.0',
        build_type: 'quartet',
        lucene_version: '9.11.1',
        minimum_wire_compatibility_version: '7.10.0',
        minimum_index_compatibility_version: '7.0.0',
      },
      tagline: 'The OpenSearch Project: https://opensearch.org/',
    });
  });
}
