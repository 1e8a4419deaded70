import { z } from 'zod';
import { rules } from './cel.ts';
import { count, statusBase } from './conditions.ts';
import { duration } from './duration.ts';
import type { Kind } from './kind.ts';
import { quantity } from './quantity.ts';

const place = (description: string) => z.string().max(100).default('').describe(description);

const location = z
  .object({
    continent: z
      .enum(['AF', 'AN', 'AS', 'EU', 'NA', 'OC', 'SA', ''])
      .default('')
      .describe('Two letters, such as EU or NA.'),
    country: z
      .string()
      .regex(/^[A-Z]{2}$/)
      .describe('ISO 3166-1 code of two letters, such as DE.'),
    region: place('State or region.'),
    city: place('City.'),
    timeZone: place('IANA time zone, such as Europe/Berlin.'),
  })
  .describe('Where the edge is.');

const coordinates = z
  .string()
  .max(32)
  .regex(/^-?(90(\.0{1,6})?|[0-8]?[0-9](\.[0-9]{1,6})?),-?(180(\.0{1,6})?|(1[0-7][0-9]|[0-9]{1,2})(\.[0-9]{1,6})?)$/)
  .describe(
    'Latitude and longitude in degrees, such as "50.11,8.68". A string, since floats do not survive all tools.',
  );

/** Policies of the requirements: applied where an origin says nothing and cache.defaultTtl is on. */
export const defaultPolicies = [
  { contentType: 'image', ttl: '24h', maxObjectSize: '10Mi', priority: 8 },
  { contentType: 'video', ttl: '168h', maxObjectSize: '100Mi', priority: 9 },
  { contentType: 'html', ttl: '1h', maxObjectSize: '1Mi', priority: 6 },
  { contentType: 'css', ttl: '24h', maxObjectSize: '100Ki', priority: 7 },
  { contentType: 'javascript', ttl: '24h', maxObjectSize: '500Ki', priority: 7 },
  { contentType: 'other', ttl: '1h', maxObjectSize: '1Mi', priority: 5 },
] as const;

const policy = z.object({
  contentType: z
    .enum(['image', 'video', 'html', 'css', 'javascript', 'other'])
    .describe('Content that the policy is for; other: all the rest.'),
  ttl: duration('ttl', '0s', '8760h').describe('How long a response stays fresh when its origin says nothing.'),
  maxObjectSize: quantity('maxObjectSize', '1', '1Ti').describe('Larger responses are not stored.'),
  priority: z
    .int()
    .min(1)
    .max(10)
    .default(5)
    .describe('Weight of the content in the choice of an edge; a tenth of it is the affinity term of the score.'),
});

const cache = z
  .object({
    memory: quantity('cache.memory', '1Mi', '1Ti')
      .default('64Mi')
      .describe('Bytes of responses that each replica holds in memory.'),
    defaultTtl: z
      .boolean()
      .default(false)
      .describe(
        'Give responses on which the origin is silent the TTL of their policy. Off: only what RFC 9111 allows.',
      ),
    policies: z
      .array(policy)
      .max(6)
      .default(defaultPolicies.map((p) => ({ ...p })))
      .describe('Policies by content type.')
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['contentType'] }),
  })
  .prefault({})
  .describe('The cache of each replica.');

const capacity = z
  .object({
    bandwidthMbit: z.int().min(1).max(1_000_000).default(1000).describe('Bandwidth of a replica in Mbit/s.'),
    storage: quantity('capacity.storage', '1Mi', '1000Ti').default('10Gi').describe('Storage of a replica.'),
    connections: z.int().min(1).max(1_000_000).default(10_000).describe('Connections that a replica takes.'),
    cpu: z
      .string()
      .regex(/^([1-9][0-9]{0,4}m|[1-9][0-9]{0,2})$/)
      .default('50m')
      .describe('CPU that a replica asks of its node.'),
    memory: quantity('capacity.memory', '64Mi', '1Ti')
      .default('128Mi')
      .describe('Memory that a replica asks of its node.'),
  })
  .prefault({})
  .describe('What a replica can carry; the router weighs edges by it and by their live load.');

const host = z
  .string()
  .min(1)
  .max(253)
  .regex(/^(\*|[a-z0-9]([-a-z0-9.]*[a-z0-9])?(:[0-9]{1,5})?)$/);

const origin = z
  .object({
    hosts: z
      .array(host)
      .min(1)
      .max(32)
      .default(['*'])
      .describe('Host headers that this origin answers; * stands for any other.')
      .meta({ 'x-kubernetes-list-type': 'set' }),
    url: z
      .string()
      .max(300)
      .regex(/^https?:\/\/[a-zA-Z0-9][-a-zA-Z0-9.]*(:[0-9]{1,5})?$/)
      .optional()
      .describe('http(s)://host:port of the origin, without a path.'),
    service: z
      .object({
        name: z
          .string()
          .max(63)
          .regex(/^[a-z]([-a-z0-9]*[a-z0-9])?$/)
          .describe('Name of a Service in the same namespace.'),
        port: z.int().min(1).max(65535).describe('Port of the Service.'),
      })
      .optional()
      .describe('A Service that is the origin.'),
  })
  .meta(rules({ rule: 'has(self.url) != has(self.service)', message: 'an origin has either a url or a service' }));

export const edgeNodeSpec = z.object({
  location,
  coordinates,
  replicas: z.int().min(0).max(100).default(1).describe('Pods of this edge.'),
  capacity,
  origins: z
    .array(origin)
    .min(1)
    .max(16)
    .describe('Where content comes from on a miss.')
    .meta(
      rules({
        rule: 'self.all(a, self.exists_one(b, b.hosts.exists(h, h in a.hosts)))',
        message: 'a host may stand in one origin only',
      }),
    ),
  cache,
  drain: z.boolean().default(false).describe('Send no new clients here; the pods stay.'),
});
export type EdgeNodeSpec = z.output<typeof edgeNodeSpec>;

export const edgeNodeStatus = z.object({
  ...statusBase,
  replicas: count('Pods that exist.'),
  readyReplicas: count('Pods that are ready.'),
  selector: z.string().max(1024).optional().describe('Label selector of the pods, for the scale subresource.'),
  endpoints: z.array(z.string().max(300)).max(100).optional().describe('Where the router reaches the pods.'),
  requestsPerSecond: count('Requests a second over all pods, as of the last change of this status.'),
  hitRatio: z.string().max(8).optional().describe('Share of requests that the cache answered, such as "87%".'),
});
export type EdgeNodeStatus = z.output<typeof edgeNodeStatus>;

export const edgeNode = {
  kind: 'EdgeNode',
  plural: 'edgenodes',
  singular: 'edgenode',
  shortNames: ['edge'],
  description: 'A place in the world where content is cached and served.',
  spec: edgeNodeSpec,
  status: edgeNodeStatus,
  scale: { selector: true },
  columns: [
    { name: 'City', type: 'string', jsonPath: '.spec.location.city' },
    { name: 'Country', type: 'string', jsonPath: '.spec.location.country' },
    { name: 'Ready', type: 'string', jsonPath: ".status.conditions[?(@.type=='Ready')].status" },
    { name: 'Replicas', type: 'integer', jsonPath: '.status.readyReplicas' },
    { name: 'Drain', type: 'boolean', jsonPath: '.spec.drain' },
    { name: 'Hits', type: 'string', jsonPath: '.status.hitRatio' },
    { name: 'Reason', type: 'string', jsonPath: ".status.conditions[?(@.type=='Ready')].reason", priority: 1 },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
} as const satisfies Kind;
