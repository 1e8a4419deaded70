/** Resolves with the first result that is not false or undefined; asks again every few ms until the deadline. */
export async function until<T>(
  what: string,
  ask: () => T | Promise<T>,
  deadlineMs: number = 20_000,
): Promise<Exclude<Awaited<T>, false | undefined>> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const result = await ask();
    if (result !== false && result !== undefined) return result as Exclude<Awaited<T>, false | undefined>;
    if (performance.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
