/** Light or dark: the system's choice until the reader makes one, which this browser then remembers. */
import { effect, signal } from '@preact/signals';
import { remembered, remember } from './memory.ts';

export type Theme = 'light' | 'dark';

const system = window.matchMedia('(prefers-color-scheme: dark)');

export const theme = signal<Theme>(initialTheme());

system.addEventListener('change', () => {
  if (remembered('theme') === null) theme.value = systemTheme();
});

effect(() => {
  document.documentElement.dataset['theme'] = theme.value;
});

export function toggleTheme(): void {
  theme.value = theme.value === 'dark' ? 'light' : 'dark';
  remember('theme', theme.value);
}

function initialTheme(): Theme {
  const chosen = remembered('theme');
  return chosen === 'light' || chosen === 'dark' ? chosen : systemTheme();
}

function systemTheme(): Theme {
  return system.matches ? 'dark' : 'light';
}
