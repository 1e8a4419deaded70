import { keyOf, type Pod, type Service, type ServicePort } from '../api/objects.ts';

/** Where something listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** One thing for the proxy to do: listen there, pass connections on to these. */
export interface Route {
  /** `namespace/service:port`, for messages. */
  readonly name: string;
  readonly listen: Address;
  readonly targets: readonly Address[];
  /** Connections of one client address go to one target. */
  readonly sticky: boolean;
}

/** A pod as the kubelet knows it, which is newer than what the API server says. */
export interface Backend {
  readonly pod: Pod;
  readonly address: string;
  readonly ready: boolean;
}

const selects = (service: Service, pod: Pod): boolean => {
  const selector = Object.entries(service.spec.selector ?? {});
  return (
    selector.length > 0 &&
    pod.metadata.namespace === service.metadata.namespace &&
    selector.every(([key, value]) => pod.metadata.labels?.[key] === value)
  );
};

const targetPort = (port: ServicePort, pod: Pod): number | undefined => {
  const { targetPort = port.port } = port;
  if (typeof targetPort === 'number') return targetPort;
  return pod.spec.containers.flatMap((container) => container.ports ?? []).find(({ name }) => name === targetPort)
    ?.containerPort;
};

const targetsOf = (service: Service, port: ServicePort, backends: readonly Backend[]): Address[] =>
  backends
    .filter(({ pod, ready }) => (ready || service.spec.publishNotReadyAddresses === true) && selects(service, pod))
    .flatMap(({ pod, address }) => {
      const number = targetPort(port, pod);
      return number === undefined ? [] : [{ host: address, port: number }];
    });

/** The addresses that a Service has: its cluster IP, and the public one for a load balancer. */
const hostsOf = (service: Service, publicHost: string): string[] => {
  const { clusterIP = '', type } = service.spec;
  const cluster = clusterIP === '' || clusterIP === 'None' ? [] : [clusterIP];
  return type === 'LoadBalancer' ? [...cluster, publicHost] : cluster;
};

/**
 * What the proxy has to do (`publicHost` is the address of load balancers): a route per Service, port and address, with the ready pods that the selector names. Headless
 * Services have no address, so nothing is to be done for them. UDP is not supported. Pure; the order is stable.
 */
export const routesOf = (services: Iterable<Service>, backends: readonly Backend[], publicHost: string): Route[] => {
  const routes: Route[] = [];
  for (const service of services) {
    if (service.metadata.deletionTimestamp !== undefined) continue;
    for (const port of service.spec.ports ?? []) {
      if ((port.protocol ?? 'TCP') !== 'TCP') continue;
      const targets = targetsOf(service, port, backends);
      const sticky = service.spec.sessionAffinity === 'ClientIP';
      for (const host of hostsOf(service, publicHost)) {
        routes.push({ name: `${keyOf(service)}:${port.port}`, listen: { host, port: port.port }, targets, sticky });
      }
    }
  }
  return routes;
};

/**
 * The targets in the order to try: round robin from `turn`, or from a hash of the client for sticky routes. The first that
 * takes the connection gets it.
 */
export const attemptsOf = (route: Route, turn: number, client: string): Address[] => {
  const count = route.targets.length;
  if (count === 0) return [];
  let start = turn % count;
  if (route.sticky) {
    let hash = 0;
    for (const character of client) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
    start = hash % count;
  }
  return [...route.targets.slice(start), ...route.targets.slice(0, start)];
};
