/**
 * How Holdfast looks. Calm: one accent colour ("harbor"), white space, state colours only for state.
 *
 * The variables that Mantine would write into a `<style>` of its own, which the content security policy forbids, are made
 * from this file when the renderer is built (`theme.css`, see scripts/build-renderer.ts).
 */
import {
  type CSSVariablesResolver,
  createTheme,
  defaultCssVariablesResolver,
  type MantineColorsTuple,
} from '@mantine/core';

const harbor: MantineColorsTuple = [
  '#eef4fc',
  '#dde8f8',
  '#b9d0f0',
  '#92b6e8',
  '#71a0e1',
  '#4d86d6',
  '#3473c9',
  '#1f5fbf',
  '#194f9f',
  '#123f82',
];

/** Greys with a little blue in them, so that dark surfaces look like night, not like a switched-off screen. */
const dark: MantineColorsTuple = [
  '#d3dae3',
  '#b6c0cc',
  '#95a1b0',
  '#6d7988',
  '#3f4a58',
  '#2c3540',
  '#1d242d',
  '#141a21',
  '#10151b',
  '#0b0f14',
];

const gray: MantineColorsTuple = [
  '#f7f8fa',
  '#eff2f5',
  '#e4e8ed',
  '#d6dce3',
  '#bcc5cf',
  '#95a0ad',
  '#6f7b89',
  '#4f5a67',
  '#353e49',
  '#1b232d',
];

export const theme = createTheme({
  primaryColor: 'harbor',
  primaryShade: { light: 7, dark: 6 },
  colors: { harbor, dark, gray },
  black: '#17202b',
  fontFamily: "'Inter Variable', system-ui, -apple-system, 'Segoe UI', sans-serif",
  fontFamilyMonospace: "ui-monospace, 'SF Mono', 'Cascadia Code', Menlo, Consolas, monospace",
  headings: {
    fontWeight: '650',
    sizes: {
      h1: { fontSize: '1.75rem', lineHeight: '1.25' },
      h2: { fontSize: '1.125rem', lineHeight: '1.35' },
      h3: { fontSize: '1rem', lineHeight: '1.4' },
    },
  },
  radius: { md: '0.625rem', lg: '0.875rem' },
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    Button: { defaultProps: { fw: 550 } },
    Badge: { defaultProps: { variant: 'light', tt: 'none', fw: 550 } },
    // Also for those who come with the keyboard.
    Tooltip: {
      defaultProps: {
        openDelay: 250,
        multiline: true,
        maw: 320,
        events: { hover: true, focus: true, touch: true },
      },
    },
    // Locking the scroll would put a <style> into the page.
    Modal: { defaultProps: { lockScroll: false, centered: true } },
    Drawer: { defaultProps: { lockScroll: false } },
  },
});

/** Colours of the state of something; text in them has a contrast of 4.5 : 1 on all surfaces. */
export const cssVariables: CSSVariablesResolver = (merged) => {
  const all = defaultCssVariablesResolver(merged);
  return {
    variables: { ...all.variables },
    light: {
      ...all.light,
      '--mantine-color-body': '#f6f8fa',
      '--mantine-color-dimmed': '#566270',
      '--mantine-color-placeholder': '#66717e',
      '--mantine-color-error': '#b3261e',
      '--mantine-color-default-border': 'var(--mantine-color-gray-3)',
      '--hf-surface': '#ffffff',
      '--hf-sunken': '#eef1f5',
      '--hf-line': '#e2e7ed',
      '--hf-good': '#17784c',
      '--hf-good-soft': '#e3f4ea',
      '--hf-fair': '#8a5300',
      '--hf-fair-soft': '#fdf0d9',
      '--hf-bad': '#b3261e',
      '--hf-bad-soft': '#fce8e6',
      '--hf-busy': 'var(--mantine-color-harbor-7)',
      '--hf-busy-soft': 'var(--mantine-color-harbor-0)',
      '--hf-shadow': '0 1px 2px rgb(23 32 43 / 4%), 0 4px 16px rgb(23 32 43 / 4%)',
    },
    dark: {
      ...all.dark,
      '--mantine-color-error': '#ff9c94',
      '--mantine-color-placeholder': '#8d99a8',
      '--mantine-color-default-border': 'var(--mantine-color-dark-4)',
      '--mantine-color-harbor-light': '#22344f',
      '--mantine-color-harbor-light-hover': '#2a4063',
      '--mantine-color-harbor-light-color': 'var(--mantine-color-harbor-2)',
      '--mantine-primary-color-light': '#22344f',
      '--hf-surface': '#1b222b',
      '--hf-sunken': '#141a21',
      '--hf-line': '#2a323d',
      '--hf-good': '#69d09b',
      '--hf-good-soft': '#173327',
      '--hf-fair': '#f2b84b',
      '--hf-fair-soft': '#3a2c10',
      '--hf-bad': '#ff9c94',
      '--hf-bad-soft': '#41201f',
      '--hf-busy': 'var(--mantine-color-harbor-3)',
      '--hf-busy-soft': '#1b2c44',
      '--hf-shadow': '0 1px 2px rgb(0 0 0 / 20%)',
    },
  };
};
