/** Values that many calls share. Times are milliseconds since the epoch (UTC), sizes are bytes. */
import { z } from 'zod';
import { ERROR_CODES, type WireError } from '../errors.ts';

export const Id = z.uuid();
export type Id = z.infer<typeof Id>;

/** Milliseconds since the epoch. */
export const Instant = z.int().nonnegative();
export type Instant = z.infer<typeof Instant>;

export const Bytes = z.int().nonnegative();

export const Name = z.string().trim().min(1).max(120);

/** "07:30", on the clock of the plan's time zone. */
export const TimeOfDay = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/);
export type TimeOfDay = z.infer<typeof TimeOfDay>;

/** What is run as a program, without a shell: `[program, ...arguments]`. */
export const Command = z.array(z.string().max(8192)).min(1).max(256);
export type Command = z.infer<typeof Command>;

export const WireErrorSchema = z.object({
  code: z.enum(ERROR_CODES),
  message: z.string(),
  transient: z.boolean(),
  hint: z.string().exactOptional(),
  context: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).exactOptional(),
}) satisfies z.ZodType<WireError>;
