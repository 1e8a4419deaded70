import { kubeconfig } from '../../hack/kind/cache.ts';
import { ports } from '../../hack/kind/config.ts';
import type { KindTools } from '../../hack/kind/kind-tools.ts';
import type { KindUp } from '../../hack/kind/up.ts';
import type { ImageName } from '../../hack/image/build.ts';
import type { Endpoints } from '../resources.ts';

/** The cluster and what is installed into it: plain data, so that vitest can hand it to the tests. */
export interface Place {
  readonly kubeconfig: string;
  readonly tools: KindTools;
  /** The image of this checkout, which the machines hold. */
  readonly image: ImageName;
  readonly endpoints: Endpoints;
}

declare module 'vitest' {
  export interface ProvidedContext {
    place: Place;
  }
}

/** A cluster that is up, as the tests see it. */
export const placeOf = ({ tools, image }: Pick<KindUp, 'tools' | 'image'>): Place => ({
  kubeconfig,
  tools,
  image,
  endpoints: {
    host: '127.0.0.1',
    edge: ports.content,
    search: ports.search,
    chat: ports.chat,
    database: ports.database,
  },
});
