import type { Condition } from '../conditions.ts';
import type { KubeObject } from '../object.ts';
import { resource } from '../resource.ts';

/** A kind for the runtime's own tests: it wants a number of config maps. */
export interface Widget extends KubeObject {
  readonly spec: { readonly size: number; readonly note?: string };
  readonly status?: { readonly made?: number; readonly conditions?: readonly Condition[] };
}

export const widgets = resource<Widget>('testing.quartet.dev/v1', 'Widget', 'widgets');

const definitions = resource<KubeObject & { readonly spec: object }>(
  'apiextensions.k8s.io/v1',
  'CustomResourceDefinition',
  'customresourcedefinitions',
  'cluster',
);

const conditionSchema = {
  type: 'object',
  properties: Object.fromEntries(
    ['type', 'status', 'lastTransitionTime', 'reason', 'message'].map((name) => [name, { type: 'string' }]),
  ),
};

const schema = {
  type: 'object',
  properties: {
    spec: { type: 'object', required: ['size'], properties: { size: { type: 'integer' }, note: { type: 'string' } } },
    status: {
      type: 'object',
      properties: {
        made: { type: 'integer' },
        conditions: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['type'],
          items: {
            ...conditionSchema,
            required: ['type'],
            properties: { ...conditionSchema.properties, observedGeneration: { type: 'integer' } },
          },
        },
      },
    },
  },
};

export const widgetDefinition = {
  resource: definitions,
  object: {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.testing.quartet.dev' },
    spec: {
      group: 'testing.quartet.dev',
      scope: 'Namespaced',
      names: { kind: 'Widget', plural: 'widgets', singular: 'widget', listKind: 'WidgetList' },
      versions: [
        { name: 'v1', served: true, storage: true, subresources: { status: {} }, schema: { openAPIV3Schema: schema } },
      ],
    },
  },
};

/** A widget to create. */
export function widget(name: string, size: number, namespace: string = 'default'): Widget {
  return { apiVersion: 'testing.quartet.dev/v1', kind: 'Widget', metadata: { name, namespace }, spec: { size } };
}
