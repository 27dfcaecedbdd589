/** Small choices that this browser remembers. Where storage is refused (private windows, policies) they last as long as the page. */

const prefix = 'rag-intake.';

/** Null when nothing was remembered. */
export function remembered(name: string): string | null {
  try {
    return localStorage.getItem(prefix + name);
  } catch {
    return null;
  }
}

export function forget(name: string): void {
  try {
    localStorage.removeItem(prefix + name);
  } catch {
    // Nothing was kept.
  }
}

export function remember(name: string, value: string): void {
  try {
    localStorage.setItem(prefix + name, value);
  } catch {
    // Nothing to do: the choice holds until the page is closed.
  }
}
