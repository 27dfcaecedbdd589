/** One sentence for screen readers at a time: what changed, not every step of it. */
import { signal } from '@preact/signals';

export const announcement = signal('');

/** Soonest time between two sentences. */
const gapMs = 2000;
let lastMs = -gapMs;
let timer: ReturnType<typeof setTimeout> | undefined;

/** The last sentence given within two seconds is the one that is read. */
export function announce(sentence: string): void {
  clearTimeout(timer);
  timer = setTimeout(
    () => {
      lastMs = performance.now();
      announcement.value = sentence;
    },
    Math.max(0, lastMs + gapMs - performance.now()),
  );
}
