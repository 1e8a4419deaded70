import { randomBytes } from 'node:crypto';
import { foreignRetryMs } from '../foreign.ts';
import { ensureNatsSecret } from '../nats-secret.ts';
import { keepNetworkPolicies } from '../network-policies/keep.ts';
import { networkPoliciesOf } from '../network-policies/plan.ts';
import type { Operation } from '../operation.ts';
import { chatSecret, labels, managedBy, natsSecret } from '../pod-template.ts';
import { deployments, podDisruptionBudgets, secrets, services } from '../runtime/builtin.ts';
import type { ReconcileContext } from '../runtime/controller.ts';
import { keyOf, refOf, type KubeObject, type ObjectKey } from '../runtime/object.ts';
import { done, requeueAfter, type Outcome } from '../runtime/outcome.ts';
import type { Resource } from '../runtime/resource.ts';
import type { Store } from '../runtime/store.ts';
import { gatewayObjects, type GatewayRole } from './plan.ts';

const chatKeys = ['tokenSecret', 'apiKey'] as const;

/** The key of a namespace's gateway in the queue. */
export const gatewayKey = (namespace: string | undefined): ObjectKey => `${namespace ?? ''}/gateway`;

/**
 * Secrets are made once: what they hold is random, and tokens that were signed with it are out there. One that somebody
 * else made is used as it is, if it holds both keys. Answers whether there is one to use.
 */
const ensureChatSecret = async (
  namespace: string,
  { caches }: Operation,
  { writer }: ReconcileContext,
): Promise<boolean> => {
  const ref = { namespace, name: chatSecret };
  const live = caches.chatSecrets.get(ref) ?? (await writer.read(secrets, ref));
  if (live !== undefined) return chatKeys.every((key) => live.data?.[key] !== undefined);
  const random = (): string => Buffer.from(randomBytes(32).toString('base64url')).toString('base64');
  await writer.apply(secrets, {
    desired: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: chatSecret, namespace, labels: { [labels.managedBy]: managedBy, [labels.partOf]: 'quartet' } },
      type: 'Opaque',
      data: Object.fromEntries(chatKeys.map((key) => [key, random()])),
    },
  });
  return true;
};

/** The key of chat goes with the last room, the address of NATS with the last resource of any kind. */
const removeSecrets = async (
  role: GatewayRole,
  namespace: string,
  { caches }: Operation,
  writer: ReconcileContext['writer'],
): Promise<void> => {
  const { edgeNodes, searchShards, chatRooms, dbShards, natsSecrets, chatSecrets } = caches;
  const isOurs = (secret: KubeObject | undefined): secret is KubeObject =>
    secret?.metadata.labels?.[labels.managedBy] === managedBy;
  const chat = chatSecrets.get({ namespace, name: chatSecret });
  if (role === 'chat-gateway' && isOurs(chat)) await writer.remove(secrets, chat);
  const kinds: readonly Store<KubeObject>[] = [edgeNodes, searchShards, chatRooms, dbShards];
  const isEmpty = kinds.every((kind) => kind.synced && kind.list(namespace).length === 0);
  const nats = natsSecrets.get({ namespace, name: natsSecret });
  if (isEmpty && isOurs(nats)) await writer.remove(secrets, nats);
};

/** A gateway of a namespace exists exactly while a resource of its kind does. */
export const reconcileGateway = (role: GatewayRole, kinds: Store<KubeObject>, operation: Operation) => {
  const foreignSecrets = async (namespace: string, context: ReconcileContext): Promise<string[]> => {
    const foreign: string[] = [];
    const { result } = await ensureNatsSecret(namespace, operation, context.writer);
    if (result === 'foreign') foreign.push(`Secret ${natsSecret}`);
    if (role !== 'chat-gateway' || (await ensureChatSecret(namespace, operation, context))) return foreign;
    return [...foreign, `Secret ${chatSecret} (without ${chatKeys.join(' and ')})`];
  };

  /** Answers `<kind> <name>` of what others have. */
  const present = async (namespace: string, context: ReconcileContext): Promise<string[]> => {
    const { writer } = context;
    const foreign = await foreignSecrets(namespace, context);
    const { deployment, service, budget } = gatewayObjects(role, namespace, operation.settings);
    const wanted: readonly [Resource, KubeObject][] = [
      [deployments, deployment],
      [services, service],
      [podDisruptionBudgets, budget],
    ];
    for (const [resource, desired] of wanted) {
      const { result } = await writer.apply(resource, { desired });
      if (result === 'foreign') foreign.push(`${desired.kind} ${desired.metadata.name}`);
    }
    const policies = networkPoliciesOf(role, namespace, operation.settings);
    const taken = await keepNetworkPolicies(role, namespace, policies, { operation, writer });
    return [...foreign, ...taken.map(({ kind, metadata }) => `${kind} ${metadata.name}`)];
  };

  const absent = async (namespace: string, { writer }: ReconcileContext): Promise<void> => {
    const { caches } = operation;
    const ref = { namespace, name: role };
    const found: [Resource, KubeObject | undefined][] = [
      [deployments, caches.deployments.get(ref)],
      [services, caches.services.get(ref)],
      [podDisruptionBudgets, caches.budgets.get(ref)],
    ];
    for (const [resource, object] of found) {
      if (object?.metadata.labels?.[labels.gateway] === role) await writer.remove(resource, object);
    }
    await keepNetworkPolicies(role, namespace, [], { operation, writer });
    await removeSecrets(role, namespace, operation, writer);
  };

  return async (key: ObjectKey, context: ReconcileContext): Promise<Outcome> => {
    const { namespace = '' } = refOf(key);
    const [first] = kinds.list(namespace);
    if (first === undefined) {
      await absent(namespace, context);
      operation.foreign.note(role, namespace, []);
      return done;
    }
    const foreign = await present(namespace, context);
    operation.foreign.note(role, namespace, foreign);
    // one resource of the namespace looks again for all, or the gateway itself
    const looksAgain = key === keyOf(first) || key === gatewayKey(namespace);
    return foreign.length > 0 && looksAgain ? requeueAfter(foreignRetryMs) : done;
  };
};
