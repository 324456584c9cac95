/** Lets the event loop turn until `holds`; a test's own timeout is the bound. For what real sockets do while a virtual clock stands. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}
