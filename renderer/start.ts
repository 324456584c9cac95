/** Before anything else: zod compiles schemas by `new Function`, which the content security policy refuses. */
import { config } from 'zod';

config({ jitless: true });
