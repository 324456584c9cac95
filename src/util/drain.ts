/**
 * Takes work from a source that the work itself may fill, at most `limit` pieces at once, until the source is empty
 * and all is done. The first failure ends the taking; it is thrown when what is under way has ended.
 */
export function drain<T>(
  take: () => T | undefined,
  limit: number,
  work: (piece: T) => Promise<void>,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let active = 0;
    let failure: { readonly error: unknown } | undefined;
    const pump = () => {
      while (active < limit && !failure) {
        const piece = take();
        if (piece === undefined) break;
        active++;
        void start(piece);
      }
      if (active > 0) return;
      if (failure) reject(failure.error);
      else resolve();
    };
    const start = async (piece: T) => {
      try {
        await work(piece);
      } catch (error) {
        failure ??= { error };
      }
      active--;
      pump();
    };
    pump();
  });
}
