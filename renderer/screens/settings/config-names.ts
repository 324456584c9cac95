/** What a configuration that is to be brought in names, to be shown before anything is done. */
import { parse } from 'yaml';
import { z } from 'zod';

const Named = z.array(z.object({ name: z.string() })).default([]);
const Outline = z.object({ destinations: Named, plans: Named, channels: Named });

export interface ConfigOutline {
  readonly destinations: readonly string[];
  readonly plans: readonly string[];
  readonly channels: readonly string[];
}

/** null: it is not to be understood here; the host, which is asked next, says what is wrong with it, and in which line. */
export function outlineOf(yaml: string): ConfigOutline | null {
  try {
    const { destinations, plans, channels } = Outline.parse(parse(yaml));
    const names = (all: z.output<typeof Named>) => all.map(({ name }) => name);
    return { destinations: names(destinations), plans: names(plans), channels: names(channels) };
  } catch {
    return null;
  }
}
