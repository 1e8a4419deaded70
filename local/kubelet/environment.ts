import type { Container, EnvFrom, EnvVar } from '../api/objects.ts';

/** Where values come from that are not written in the container itself. Each is undefined when there is no such thing. */
export interface ValueSources {
  readonly field: (path: string) => string | undefined;
  readonly secret: (name: string) => ReadonlyMap<string, string> | undefined;
  readonly configMap: (name: string) => ReadonlyMap<string, string> | undefined;
}

/** The variables of a container, or why they cannot be made (a reference that is not optional leads nowhere). */
export type Environment =
  { readonly ok: true; readonly variables: Record<string, string> } | { readonly ok: false; readonly missing: string };

/**
 * `$(NAME)` becomes the variable's value, `$$(NAME)` the text `$(NAME)`, and a reference to an unknown variable stays as it
 * is: the rules of Kubernetes for command, args and env.
 */
export const expand = (text: string, variables: Readonly<Record<string, string>>): string =>
  text.replaceAll(/\$\$|\$\(([^()]+)\)/g, (whole, name: string | undefined) =>
    name === undefined ? '$' : (variables[name] ?? whole),
  );

/** What a variable is set to; `missing` for a reference that leads nowhere, undefined for one that may. */
type Value = { readonly text: string } | { readonly missing: string } | undefined;

const keyed = (
  kind: string,
  ref: { readonly name: string; readonly key: string; readonly optional?: boolean },
  values: ReadonlyMap<string, string> | undefined,
): Value => {
  const text = values?.get(ref.key);
  if (text !== undefined) return { text };
  return ref.optional === true ? undefined : { missing: `key ${ref.key} of ${kind} ${ref.name}` };
};

const valueOf = (variable: EnvVar, known: Record<string, string>, sources: ValueSources): Value => {
  const from = variable.valueFrom;
  if (from?.fieldRef !== undefined) {
    const text = sources.field(from.fieldRef.fieldPath);
    return text === undefined ? { missing: `field ${from.fieldRef.fieldPath}` } : { text };
  }
  if (from?.secretKeyRef !== undefined) {
    return keyed('secret', from.secretKeyRef, sources.secret(from.secretKeyRef.name));
  }
  if (from?.configMapKeyRef !== undefined) {
    return keyed('config map', from.configMapKeyRef, sources.configMap(from.configMapKeyRef.name));
  }
  return { text: expand(variable.value ?? '', known) };
};

const bulk = (from: EnvFrom, sources: ValueSources): ReadonlyMap<string, string> | { readonly missing: string } => {
  const ref = from.secretRef ?? from.configMapRef;
  if (ref === undefined) return new Map();
  const values = from.secretRef === undefined ? sources.configMap(ref.name) : sources.secret(ref.name);
  if (values !== undefined) return values;
  return ref.optional === true ? new Map() : { missing: `${from.secretRef ? 'secret' : 'config map'} ${ref.name}` };
};

/** The variables that a container asks for: envFrom first, then env in order, each seeing the ones before it. */
export const environmentOf = (container: Container, sources: ValueSources): Environment => {
  const variables: Record<string, string> = {};
  for (const from of container.envFrom ?? []) {
    const values = bulk(from, sources);
    if ('missing' in values) return { ok: false, missing: values.missing };
    for (const [key, value] of values) variables[`${from.prefix ?? ''}${key}`] = value;
  }
  for (const variable of container.env ?? []) {
    const value = valueOf(variable, variables, sources);
    if (value === undefined) continue;
    if ('missing' in value) return { ok: false, missing: value.missing };
    variables[variable.name] = value.text;
  }
  return { ok: true, variables };
};

/** Names of the secrets and config maps that {@link environmentOf} will ask for. */
export const referencesOf = (containers: readonly Container[]): { secrets: Set<string>; configMaps: Set<string> } => {
  const secrets = new Set<string>();
  const configMaps = new Set<string>();
  const add = (set: Set<string>, ref: { readonly name: string } | undefined): void => {
    if (ref !== undefined) set.add(ref.name);
  };
  for (const container of containers) {
    for (const from of container.envFrom ?? []) {
      add(secrets, from.secretRef);
      add(configMaps, from.configMapRef);
    }
    for (const variable of container.env ?? []) {
      add(secrets, variable.valueFrom?.secretKeyRef);
      add(configMaps, variable.valueFrom?.configMapKeyRef);
    }
  }
  return { secrets, configMaps };
};
