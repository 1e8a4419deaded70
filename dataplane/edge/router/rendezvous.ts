/** FNV-1a with a final mix, 32 bits: spreads names well enough to share keys out evenly. */
export function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash ^= text.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  return hash >>> 0;
}

/**
 * Members in the order in which they should hold a key (rendezvous hashing): each key has its own order, and a member
 * that leaves moves only its own keys.
 */
export const rendezvous = <T>(key: string, members: readonly T[], nameOf: (member: T) => string): T[] =>
  members
    .map((member) => ({ member, weight: hash32(`${nameOf(member)}\n${key}`) }))
    .sort((a, b) => b.weight - a.weight)
    .map(({ member }) => member);
