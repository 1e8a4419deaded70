import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The users of the control plane itself. Pods get tokens of their service accounts instead. */
const users = {
  admin: { name: 'quartet-admin', groups: 'system:masters' },
  // Its controllers share one identity here, so that needs what all of them need.
  controllers: { name: 'system:kube-controller-manager', groups: 'system:masters' },
  scheduler: { name: 'system:kube-scheduler', groups: '' },
} as const;
export type ClusterUser = keyof typeof users;

/** Secrets of one control plane. They live as long as its state directory. */
export interface Credentials {
  readonly tokens: Readonly<Record<ClusterUser, string>>;
  /** File of `--token-auth-file`. */
  readonly tokenFile: string;
  /** RSA key that signs service account tokens. */
  readonly serviceAccountKey: string;
}

const readOrCreate = async (path: string, create: () => string): Promise<string> => {
  try {
    return await readFile(path, 'utf8');
  } catch {
    const text = create();
    await writeFile(path, text, { mode: 0o600 });
    return text;
  }
};

const newTokens = (): string =>
  Object.values(users)
    .map((user) => `${randomBytes(24).toString('hex')},${user.name},${user.name},"${user.groups}"\n`)
    .join('');

const newKey = (): string =>
  generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  }).privateKey;

/** Reads the credentials in a directory, or makes them. */
export const loadCredentials = async (dir: string): Promise<Credentials> => {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const tokenFile = join(dir, 'tokens.csv');
  const serviceAccountKey = join(dir, 'service-account.key');
  const lines = (await readOrCreate(tokenFile, newTokens)).split('\n');
  await readOrCreate(serviceAccountKey, newKey);
  const tokenOf = (user: ClusterUser): string =>
    lines.find((line) => line.includes(`,${users[user].name},`))?.split(',')[0] ?? '';
  return {
    tokens: { admin: tokenOf('admin'), controllers: tokenOf('controllers'), scheduler: tokenOf('scheduler') },
    tokenFile,
    serviceAccountKey,
  };
};

/** How a client reaches an API server. */
export interface Access {
  readonly url: string;
  /** PEM file that the server's certificate is checked against. */
  readonly certificate: string;
  /** Fields of the `user` entry. */
  readonly user: Readonly<Record<string, unknown>>;
  readonly namespace?: string;
}

/** A kubeconfig with one cluster, one user and one context. JSON is YAML too. */
export const kubeconfig = ({ url, certificate, user, namespace }: Access): string =>
  `${JSON.stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'quartet', cluster: { server: url, 'certificate-authority': certificate } }],
      users: [{ name: 'quartet', user }],
      contexts: [
        { name: 'quartet', context: { cluster: 'quartet', user: 'quartet', ...(namespace && { namespace }) } },
      ],
      'current-context': 'quartet',
    },
    undefined,
    2,
  )}\n`;
