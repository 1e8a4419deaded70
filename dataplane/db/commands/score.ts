/** A score as eight characters of one byte each, in the order of the numbers: IEEE 754 with the sign turned around. */
const bytes = Buffer.alloc(8);

export const encodeScore = (score: number): string => {
  bytes.writeDoubleBE(score === 0 ? 0 : score);
  if ((bytes[0] ?? 0) < 128) bytes[0] = (bytes[0] ?? 0) | 128;
  else for (let i = 0; i < 8; i++) bytes[i] = 255 - (bytes[i] ?? 0);
  return bytes.toString('latin1');
};

export const decodeScore = (text: string): number => {
  bytes.write(text, 0, 8, 'latin1');
  if ((bytes[0] ?? 0) >= 128) bytes[0] = (bytes[0] ?? 0) & 127;
  else for (let i = 0; i < 8; i++) bytes[i] = 255 - (bytes[i] ?? 0);
  return bytes.readDoubleBE();
};

/** The first text behind all scores that are not greater. */
export const afterScore = (score: number): string => {
  bytes.write(encodeScore(score), 'latin1');
  bytes.writeBigUInt64BE(bytes.readBigUInt64BE() + 1n);
  return bytes.toString('latin1');
};
