import { parseLine, type ParsedLine } from './command.ts';

/** The commands of one frame, or why the frame is refused as a whole. */
export type ParsedFrame =
  { readonly ok: true; readonly lines: readonly ParsedLine[] } | { readonly ok: false; readonly detail: string };

/**
 * Splits a text frame into its newline-separated commands. Blank lines count for nothing. One malformed line refuses
 * the whole frame, before any command of it runs.
 */
export const parseFrame = (text: string, maxCommands: number): ParsedFrame => {
  const lines: ParsedLine[] = [];
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    if (lines.length === maxCommands) return { ok: false, detail: `more than ${maxCommands} commands in one frame` };
    const parsed = parseLine(line);
    if (parsed.kind === 'malformed') return { ok: false, detail: parsed.detail };
    lines.push(parsed);
  }
  return lines.length === 0 ? { ok: false, detail: 'an empty frame' } : { ok: true, lines };
};
