import { randomBytes } from 'node:crypto';
import { ensureNatsSecret } from '../nats-secret.ts';
import { keepNetworkPolicies } from '../network-policies/keep.ts';
import { networkPoliciesOf } from '../network-policies/plan.ts';
import type { Operation } from '../operation.ts';
import { chatSecret, labels, managedBy, natsSecret } from '../pod-template.ts';
import { deployments, podDisruptionBudgets, secrets, services } from '../runtime/builtin.ts';
import type { ReconcileContext } from '../runtime/controller.ts';
import { refOf, type KubeObject, type ObjectKey } from '../runtime/object.ts';
import { done, type Outcome } from '../runtime/outcome.ts';
import type { Resource } from '../runtime/resource.ts';
import type { Store } from '../runtime/store.ts';
import { gatewayObjects, type GatewayRole } from './plan.ts';

/** The key of a namespace's gateway in the queue. */
export const gatewayKey = (namespace: string | undefined): ObjectKey => `${namespace ?? ''}/gateway`;

/** Secrets are made once: what they hold is random, and tokens that were signed with it are out there. */
const ensureChatSecret = async (
  namespace: string,
  { caches }: Operation,
  { writer }: ReconcileContext,
): Promise<void> => {
  if (caches.chatSecrets.get({ namespace, name: chatSecret }) !== undefined) return;
  if ((await writer.read(secrets, { namespace, name: chatSecret })) !== undefined) return;
  const random = (): string => Buffer.from(randomBytes(32).toString('base64url')).toString('base64');
  await writer.apply(secrets, {
    desired: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: chatSecret, namespace, labels: { [labels.managedBy]: managedBy, [labels.partOf]: 'quartet' } },
      type: 'Opaque',
      data: { tokenSecret: random(), apiKey: random() },
    },
  });
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
  const present = async (namespace: string, context: ReconcileContext): Promise<void> => {
    await ensureNatsSecret(namespace, operation, context.writer);
    if (role === 'chat-gateway') await ensureChatSecret(namespace, operation, context);
    const objects = gatewayObjects(role, namespace, operation.settings);
    await context.writer.apply(deployments, { desired: objects.deployment });
    const { result } = await context.writer.apply(services, { desired: objects.service });
    if (result === 'foreign') context.log.warn({ namespace, role }, 'a Service of the name exists and is not ours');
    await context.writer.apply(podDisruptionBudgets, { desired: objects.budget });
    const wanted = networkPoliciesOf(role, namespace, operation.settings);
    await keepNetworkPolicies(role, namespace, wanted, { operation, writer: context.writer });
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
    await (kinds.list(namespace).length > 0 ? present(namespace, context) : absent(namespace, context));
    return done;
  };
};
