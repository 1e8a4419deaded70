import { kindTools } from '../../hack/kind/kind-tools.ts';
import { placeOf, type Place } from '../../e2e/kind/place.ts';

/** The cluster that `make kind` brought up. Nothing is installed into it here, so that its image does not matter. */
export const place = async (): Promise<Place> =>
  placeOf({ tools: await kindTools(() => {}), image: { repository: 'quartet', tag: '' } });
