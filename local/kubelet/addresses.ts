import { LocalError } from '../errors.ts';

/**
 * The loopback addresses of one instance: 127.BLOCK.0.0/16. Services have 127.BLOCK.0.0/20, nodes 127.BLOCK.16.x, pods
 * 127.BLOCK.32.0 to .255.254. Two instances on one host take different blocks, so the same ports never meet.
 */
export interface AddressPlan {
  readonly services: string;
  node(index: number): string;
  pods(): PodAddresses;
}

/** Hands out an address per pod. */
export interface PodAddresses {
  /** The preferred address when it is one of ours and free, else the next free one. @throws LocalError when all are taken */
  take(preferred?: string): string;
  release(address: string): void;
}

const firstPod = 32 * 256;
const podCount = 224 * 256;

const podAddresses = (block: number): PodAddresses => {
  const taken = new Set<string>();
  let next = 0;
  const at = (index: number): string => {
    const host = firstPod + index;
    return `127.${block}.${host >> 8}.${host & 255}`;
  };
  // .0 and .255 are legal hosts on loopback, but look wrong.
  const usable = (address: string): boolean => !taken.has(address) && !/\.(0|255)$/.test(address);
  const ours = (address: string): boolean =>
    address.startsWith(`127.${block}.`) && Number(address.split('.')[2]) >= firstPod >> 8;
  return {
    take(preferred) {
      if (preferred !== undefined && ours(preferred) && usable(preferred)) {
        taken.add(preferred);
        return preferred;
      }
      for (let tries = 0; tries < podCount; tries += 1) {
        const address = at(next);
        next = (next + 1) % podCount;
        if (!usable(address)) continue;
        taken.add(address);
        return address;
      }
      throw new LocalError('invalid', 'no pod address is free');
    },
    release(address) {
      taken.delete(address);
    },
  };
};

export const addressPlan = (block: number): AddressPlan => ({
  services: `127.${block}.0.0/20`,
  node: (index) => `127.${block}.16.${index + 1}`,
  pods: () => podAddresses(block),
});
