import { reasonOf } from '../../local/errors.ts';

/** Where images come from: pulled, or built here from Debian, npm and the Go modules. */
export type ImageSource = 'registry' | 'packages';

/** What was found out about the registry. */
export interface RegistryAnswer {
  readonly status?: number;
  /** The header `docker-distribution-api-version`. */
  readonly api?: string | undefined;
  /** Why there was no answer. */
  readonly error?: string;
}

const registry = 'https://registry-1.docker.io/v2/';
const deadlineMs = 4000;

/**
 * Whether images can be pulled, with the reason for people. A registry says who it is even when it asks for a login
 * (distribution spec, "Determining Support"); a login page of a network or an error of a proxy does not. Pure.
 * @param asked QUARTET_IMAGES: `registry` or `packages` decides, anything else leaves it to the answer
 */
export const imageSource = (asked: string, answer: RegistryAnswer): { source: ImageSource; reason: string } => {
  if (asked === 'registry' || asked === 'packages') return { source: asked, reason: 'QUARTET_IMAGES says so' };
  const { status = 0, api = '', error } = answer;
  if (error !== undefined) return { source: 'packages', reason: `no container registry: ${error}` };
  if ((status === 200 || status === 401) && api.startsWith('registry/2')) {
    return { source: 'registry', reason: 'the container registry answers' };
  }
  return { source: 'packages', reason: `what answers for the container registry is none (status ${status})` };
};

/** The cause says more than `fetch failed`. */
const causeOf = (error: unknown): string => reasonOf(error instanceof Error ? (error.cause ?? error) : error);

/** Asks the registry, for a few seconds at most. */
export const askRegistry = async (): Promise<RegistryAnswer> => {
  try {
    const { status, headers, body } = await fetch(registry, { signal: AbortSignal.timeout(deadlineMs) });
    await body?.cancel();
    return { status, api: headers.get('docker-distribution-api-version') ?? undefined };
  } catch (error) {
    return { error: causeOf(error) };
  }
};

/** Where images come from on this machine. */
export const findImageSource = async (): Promise<{ source: ImageSource; reason: string }> => {
  const asked = process.env['QUARTET_IMAGES'] ?? '';
  return imageSource(asked, asked === '' ? await askRegistry() : {});
};
