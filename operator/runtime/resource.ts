import type { KubeObject, ObjectRef } from './object.ts';

/**
 * A resource of the API: where it is served and what its objects are called.
 * `T` is the shape of its objects; it exists for the compiler only.
 */
export interface Resource<T extends KubeObject = KubeObject> {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** The path segment: lower case, plural. */
  readonly plural: string;
  readonly namespaced: boolean;
  /** Never set: carries `T`. */
  readonly objects?: T;
}

/** Describes a resource, e.g. `resource<Pod>('v1', 'Pod', 'pods')` or `resource<Lease>('coordination.k8s.io/v1', 'Lease', 'leases')`. */
export function resource<T extends KubeObject>(
  apiVersion: string,
  kind: string,
  plural: string,
  scope: 'namespaced' | 'cluster' = 'namespaced',
): Resource<T> {
  const slash = apiVersion.indexOf('/');
  const group = slash < 0 ? '' : apiVersion.slice(0, slash);
  return { group, version: apiVersion.slice(slash + 1), kind, plural, namespaced: scope === 'namespaced' };
}

/** `group/version`, or `version` for the core group. */
export function apiVersionOf(resource: Resource): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}

/** `plural.group`, unique in a cluster; used in metrics, logs and as a map key. */
export function resourceName(resource: Resource): string {
  return resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`;
}

/** Path of the collection (no name), of an object, or of a subresource of it. */
export function pathOf(resource: Resource, ref: Partial<ObjectRef>, subresource?: 'status' | 'scale'): string {
  const root = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  const scope = resource.namespaced && ref.namespace ? `/namespaces/${encodeURIComponent(ref.namespace)}` : '';
  const name = ref.name === undefined ? '' : `/${encodeURIComponent(ref.name)}`;
  return `${root}${scope}/${resource.plural}${name}${subresource === undefined ? '' : `/${subresource}`}`;
}
