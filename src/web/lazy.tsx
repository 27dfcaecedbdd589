/** Parts of the page that are loaded when they are first needed. One whose script cannot be loaded says so, with a way on. */
import { signal, type Signal } from '@preact/signals';
import type { ComponentType, VNode } from 'preact';
import { useEffect } from 'preact/hooks';
import { sentences } from './language.ts';

export type Lazy<P> = {
  readonly View: ComponentType<P>;
  /** Fetches it before it is needed. */
  readonly load: () => void;
};

export function lazily<P extends object>(fetchView: () => Promise<ComponentType<P>>): Lazy<P> {
  const state: Signal<ComponentType<P> | 'wanted' | 'failed' | null> = signal(null);
  const load = (): void => {
    if (state.peek() !== null && state.peek() !== 'failed') return;
    state.value = 'wanted';
    fetchView().then(
      (view) => {
        // In a function: a signal holds values, and a component is one.
        state.value = view;
      },
      () => {
        state.value = 'failed';
      },
    );
  };
  function View(props: P): VNode {
    useEffect(load, []);
    const found = state.value;
    if (found === 'failed') return <LoadFailed />;
    if (found === null || found === 'wanted') return <p class="muted view">{sentences.value.loading}</p>;
    const Found = found;
    return <Found {...props} />;
  }
  return { View, load };
}

function LoadFailed(): VNode {
  const t = sentences.value;
  return (
    <div class="nothing" role="alert">
      <h1>{t.loadFailed.title}</h1>
      <p>{t.loadFailed.hint}</p>
      <p class="actions">
        <button type="button" class="primary" onClick={() => location.reload()}>
          {t.loadFailed.reload}
        </button>
      </p>
    </div>
  );
}
