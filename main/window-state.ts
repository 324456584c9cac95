/** Where the window was, and where it may be now: screens come and go. Coordinates are those of the screen, before scaling. */
import { z } from 'zod';

export const WindowState = z.object({
  x: z.int().exactOptional(),
  y: z.int().exactOptional(),
  width: z.int().positive(),
  height: z.int().positive(),
  maximized: z.boolean(),
});
export type WindowState = z.output<typeof WindowState>;

export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export const LEAST = { width: 480, height: 480 } as const;
const USUAL: WindowState = { width: 1180, height: 800, maximized: false };
/** So much of the title must stay in reach of the mouse, in pixels. */
const REACH = { width: 120, height: 40 } as const;

/** The state to open with. `areas`: of all screens, without task bars; the first is the main one's. */
export function placed(remembered: WindowState | undefined, areas: readonly Area[]): WindowState {
  const state = remembered ?? USUAL;
  const at = areas.find((area) => reaches(state, area));
  const area = at ?? areas[0];
  if (!area) return { ...state };
  const width = clamp(state.width, LEAST.width, area.width);
  const height = clamp(state.height, LEAST.height, area.height);
  const size = { width, height, maximized: state.maximized };
  // Without a place the system centres it.
  if (!at || state.x === undefined || state.y === undefined) return size;
  return { ...size, x: state.x, y: Math.max(state.y, area.y) };
}

const clamp = (value: number, least: number, most: number) =>
  Math.max(Math.min(value, most), Math.min(least, most));

/** Whether enough of the upper edge lies in the area. */
function reaches({ x, y, width }: WindowState, area: Area): boolean {
  if (x === undefined || y === undefined) return false;
  const seen = Math.min(x + width, area.x + area.width) - Math.max(x, area.x);
  return seen >= REACH.width && y >= area.y - REACH.height && y <= area.y + area.height - REACH.height;
}
