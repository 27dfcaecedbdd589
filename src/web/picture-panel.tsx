/** A picture or scan as it is, above the words that were read in it. The file comes as data and is shown as a picture only. */
import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect } from 'preact/hooks';
import { originalUrl, request } from './api.ts';
import { sentences } from './language.ts';
import type { WireDocument } from './wire.ts';

/** What browsers show; of other kinds there are the words alone. */
const shownTypes = ['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/bmp'];

export function PicturePanel({ document }: { document: WireDocument }): VNode | null {
  const source = useSignal<string | null>(null);
  const isShown = shownTypes.includes(document.media_type);
  useEffect(() => {
    if (!isShown) return undefined;
    const life = new AbortController();
    let made: string | null = null;
    request(originalUrl(document.doc_id, document.collection), { signal: life.signal })
      .then((response) => response.blob())
      .then(
        (blob) => {
          if (life.signal.aborted) return;
          made = URL.createObjectURL(new Blob([blob], { type: document.media_type }));
          source.value = made;
        },
        () => undefined,
      );
    return () => {
      life.abort();
      if (made !== null) URL.revokeObjectURL(made);
    };
  }, [document.task_id]);
  if (!isShown || source.value === null) return null;
  return <img class="picture" src={source.value} alt={sentences.value.search.pictureOf(document.filename)} />;
}
