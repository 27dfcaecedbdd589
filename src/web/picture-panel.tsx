/**
 * A picture or scan as it is, above the words that were read in it, with the passage marked where the reader has seen it. The file comes
 * as data and is shown as a picture only.
 */
import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { announce } from './announcer.ts';
import { getPageLook, originalUrl, request } from './api.ts';
import { sentences } from './language.ts';
import { drawMarks, marksOn } from './look-marks.ts';
import type { KnownPassage } from './passage-link.ts';
import type { WireDocument } from './wire.ts';
import './sheet.css';

/** What browsers show; of other kinds there are the words alone. */
const shownTypes = ['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/bmp'];
/** A browser turns a picture as its camera was held, and the places are those of the picture as it is stored: then nothing is marked. */
const shapeMayDiffer = 0.02;

export function PicturePanel({ document, passage }: { document: WireDocument; passage: KnownPassage | null }): VNode | null {
  const source = useSignal<string | null>(null);
  const isLoaded = useSignal(false);
  const sheet = useRef<HTMLDivElement>(null);
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

  const canMark = isLoaded.value && passage !== null;
  useEffect(() => {
    const host = sheet.current;
    if (!canMark || passage === null || host === null) return undefined;
    let marks: HTMLElement | null = null;
    let isWanted = true;
    getPageLook(document.doc_id, document.collection, 1).then(
      (look) => {
        const image = host.querySelector('img');
        if (!isWanted || look === null || image === null) return;
        const shape = image.naturalWidth / image.naturalHeight;
        if (Math.abs(shape - look.width / look.height) > shape * shapeMayDiffer) return;
        marks = drawMarks(marksOn(look, passage));
        if (marks === null) return;
        host.append(marks);
        announce(sentences.value.search.marked);
        marks.querySelector('.mark-word, .mark-passage')?.scrollIntoView({ block: 'center', inline: 'nearest' });
      },
      () => undefined,
    );
    return () => {
      isWanted = false;
      marks?.remove();
    };
  }, [document.task_id, passage, canMark]);

  if (!isShown || source.value === null) return null;
  return (
    <div ref={sheet} class="sheet is-picture">
      <img
        src={source.value}
        alt={sentences.value.search.pictureOf(document.filename)}
        onLoad={() => {
          isLoaded.value = true;
        }}
      />
    </div>
  );
}
