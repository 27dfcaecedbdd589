/**
 * Where the page is: a view and its parameters, kept in the hash so that no server or proxy needs to know of it, every state can be
 * linked to, and Back works.
 */
import { signal } from '@preact/signals';

export const views = ['upload', 'tasks', 'documents', 'search', 'system'] as const;
export type View = (typeof views)[number];

export type Route = { readonly view: View; readonly parameters: Readonly<Record<string, string>> };

/** The current place; follows the address bar. */
export const route = signal<Route>(parseRoute(location.hash));

window.addEventListener('hashchange', () => {
  route.value = parseRoute(location.hash);
});

/** The `href` of a place; parameters that are null or empty are left out. */
export function linkTo(view: View, parameters: Readonly<Record<string, string | number | null>> = {}): string {
  const given = Object.entries(parameters).flatMap(([name, value]) =>
    value === null || value === '' ? [] : [[name, String(value)] as [string, string]],
  );
  const query = new URLSearchParams(given).toString();
  return query === '' ? `#/${view}` : `#/${view}?${query}`;
}

export function goTo(view: View, parameters: Readonly<Record<string, string | number | null>> = {}): void {
  location.hash = linkTo(view, parameters);
}

/** Changes the place without a step in the history, for what changes while one types. */
export function replaceRoute(view: View, parameters: Readonly<Record<string, string | number | null>>): void {
  history.replaceState(null, '', linkTo(view, parameters));
  route.value = parseRoute(location.hash);
}

export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const view = views.find((name) => name === path) ?? 'upload';
  return { view, parameters: Object.fromEntries(new URLSearchParams(query)) };
}
