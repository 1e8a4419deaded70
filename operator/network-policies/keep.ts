import type { GatewayRole } from '../gateways/plan.ts';
import type { Operation } from '../operation.ts';
import { labels } from '../pod-template.ts';
import { networkPolicies, type NetworkPolicy } from '../runtime/builtin.ts';
import type { Writer } from '../runtime/writer.ts';

/** Brings the policies of a service in a namespace to what they should be: `wanted`, and no others. Answers those that others have. */
export const keepNetworkPolicies = async (
  gateway: GatewayRole,
  namespace: string,
  wanted: readonly NetworkPolicy[],
  { operation, writer }: { readonly operation: Operation; readonly writer: Writer },
): Promise<NetworkPolicy[]> => {
  const foreign: NetworkPolicy[] = [];
  for (const desired of wanted) {
    if ((await writer.apply(networkPolicies, { desired })).result === 'foreign') foreign.push(desired);
  }
  const names = new Set(wanted.map(({ metadata }) => metadata.name));
  const ours = operation.caches.networkPolicies
    .list(namespace)
    .filter(({ metadata }) => metadata.labels?.[labels.gateway] === gateway);
  for (const policy of ours) if (!names.has(policy.metadata.name)) await writer.remove(networkPolicies, policy);
  return foreign;
};
