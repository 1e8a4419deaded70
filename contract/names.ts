import { z } from 'zod';

/**
 * A name that is safe as a NATS subject token, a stream name part and a
 * Kubernetes name: a DNS label (RFC 1123), at most 40 characters so that pod
 * names made from it stay below 63.
 */
export const resourceName = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$/, 'must be a DNS label of at most 40 characters');

/** A name that Kubernetes gave: a pod, a node or a namespace. No dots, except in node names. */
export const kubernetesName = z.string().min(1).max(253);

/** The role that a pod plays: the first argument of `dataplane/main.ts`. */
export const roles = [
  'edge',
  'edge-router',
  'search',
  'search-gateway',
  'chat-gateway',
  'db',
  'db-gateway',
  'site',
] as const;
export const role = z.enum(roles);
export type Role = z.infer<typeof role>;

/** Kinds whose replicas form a replicated state machine on one log. */
export const replicatedKinds = ['db', 'search'] as const;
export type ReplicatedKind = (typeof replicatedKinds)[number];

/** Identity of a replica set: the replicas of one DBShard or SearchShard. */
export interface ReplicaSetId {
  readonly kind: ReplicatedKind;
  readonly namespace: string;
  /** The name of the DBShard or SearchShard. */
  readonly name: string;
}
