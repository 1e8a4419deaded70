/** Objects for the integration tests: pods that run `echo-server.ts`. */

const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });

const podSpec = (options: { image?: string; claim?: string }) => ({
  terminationGracePeriodSeconds: 5,
  containers: [
    {
      name: 'main',
      image: options.image ?? 'quartet:test',
      command: ['node', 'local/testing/echo-server.ts'],
      args: ['--pod=$(POD)'],
      env: [
        field('POD', 'metadata.name'),
        field('NAMESPACE', 'metadata.namespace'),
        field('POD_IP', 'status.podIP'),
        { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'keys', key: 'token', optional: true } } },
        ...(options.claim === undefined ? [] : [{ name: 'DATA_DIR', value: '/data' }]),
      ],
      ports: [{ name: 'http', containerPort: 8080 }],
      readinessProbe: { httpGet: { path: '/', port: 'http' }, periodSeconds: 1 },
      volumeMounts: options.claim === undefined ? [] : [{ name: 'data', mountPath: '/data' }],
    },
  ],
  volumes: options.claim === undefined ? [] : [{ name: 'data', persistentVolumeClaim: { claimName: options.claim } }],
});

/** A Deployment that spreads over nodes. */
export const deploymentOf = (name: string, replicas: number) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        ...podSpec({}),
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            topologyKey: 'kubernetes.io/hostname',
            whenUnsatisfiable: 'ScheduleAnyway',
            labelSelector: { matchLabels: { app: name } },
          },
        ],
      },
    },
  },
});

/** A pod, with a claim mounted at /data when one is named. */
export const podOf = (name: string, options: { image?: string; claim?: string }) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { app: name } },
  spec: podSpec(options),
});

/** A load balancer for the pods of that name, on port 8080. */
export const serviceOf = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { type: 'LoadBalancer', selector: { app: name }, ports: [{ port: 8080, targetPort: 'http' }] },
});

export const claimOf = (name: string) => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name },
  spec: {
    accessModes: ['ReadWriteOnce'],
    storageClassName: 'quartet-local',
    resources: { requests: { storage: '1Gi' } },
  },
});
