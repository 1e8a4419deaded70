/** Whether a range holds no key: it ends where it starts, which is not '', the lowest key. */
export const isEmptyRange = ({ start, end }: { readonly start: string; readonly end: string }): boolean =>
  start !== '' && start === end;
