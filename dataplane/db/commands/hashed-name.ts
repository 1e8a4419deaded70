/**
 * Elements of hashes and sets, and members of sorted sets, lie in the order of a 32-bit hash of their name. So a cursor
 * of HSCAN, SSCAN and ZSCAN is a number that says all by itself, and a random element is found by a random number.
 */

const maxHash = 2 ** 32;

/** FNV-1a, then the finalizer of MurmurHash3, so that similar names lie far apart. */
const hash = (name: string): number => {
  let value = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) value = Math.imul(value ^ name.charCodeAt(i), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
};

const prefixOf = (value: number): string =>
  String.fromCharCode(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);

/** Under which an element lies. */
export const hashedName = (name: string): string => prefixOf(hash(name)) + name;

/** The name of an element. */
export const nameOf = (hashed: string): string => hashed.slice(4);

/** A place in the order. @param value at least 0, below 2^32 */
export const placeOf = (value: number): string => prefixOf(value);

/** The cursor that goes on after an element; 0 when there is nothing after it. */
export const cursorAfter = (hashed: string): number => (cursorAt(hashed) + 1) % maxHash;

/** The cursor of an element itself. */
export const cursorAt = (hashed: string): number =>
  ((hashed.charCodeAt(0) << 24) | (hashed.charCodeAt(1) << 16) | (hashed.charCodeAt(2) << 8) | hashed.charCodeAt(3)) >>>
  0;

/** A random place. */
export const randomPlace = (): string => prefixOf(Math.floor(Math.random() * maxHash));
