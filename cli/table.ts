/** Rows as columns, each as wide as its widest cell. Empty for no rows. */
export const table = (header: readonly string[], rows: readonly (readonly string[])[]): string => {
  if (rows.length === 0) return '';
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('   ')
        .trimEnd(),
    )
    .join('\n');
};

/** Bytes for people. */
export const megabytes = (bytes: number | undefined): string =>
  bytes === undefined ? '-' : `${Math.round(bytes / 1024 / 1024)} MB`;

/** Share of a core for people. */
export const percent = (share: number | undefined): string =>
  share === undefined ? '-' : `${Math.round(share * 100)} %`;
