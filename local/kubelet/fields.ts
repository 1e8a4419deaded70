import type { Pod } from '../api/objects.ts';

const mapEntry = (path: string): { field: string; key: string } | undefined => {
  const match = /^metadata\.(labels|annotations)\['([^']+)'\]$/.exec(path);
  return match?.[1] === undefined || match[2] === undefined ? undefined : { field: match[1], key: match[2] };
};

/**
 * What `fieldRef` of a variable refers to (the downward API). Undefined for a field that does not exist; a label or
 * annotation that is not set is empty.
 */
export const fieldOf = (
  pod: Pod,
  place: { readonly address: string; readonly hostIP: string },
  path: string,
): string | undefined => {
  const entry = mapEntry(path);
  if (entry !== undefined) {
    const map = entry.field === 'labels' ? pod.metadata.labels : pod.metadata.annotations;
    return map?.[entry.key] ?? '';
  }
  const fields: Readonly<Record<string, string | undefined>> = {
    'metadata.name': pod.metadata.name,
    'metadata.namespace': pod.metadata.namespace,
    'metadata.uid': pod.metadata.uid,
    'spec.nodeName': pod.spec.nodeName,
    'spec.serviceAccountName': pod.spec.serviceAccountName ?? 'default',
    'status.hostIP': place.hostIP,
    'status.podIP': place.address,
    'status.podIPs': place.address,
  };
  return fields[path];
};
