/** One document: its text, what is known of it, and ways on. */
import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect } from 'preact/hooks';
import { getDocument, originalUrl } from './api.ts';
import { DocumentDetails } from './document-details.tsx';
import { figuresOf } from './document-words.ts';
import { time } from './figures.ts';
import { Icon } from './icons.tsx';
import { sentences } from './language.ts';
import { lazily } from './lazy.tsx';
import { linkTo } from './route.ts';
import { contentsOf, hasTextPages, TextPanel } from './text-panel.tsx';
import type { WireDocument } from './wire.ts';

const PicturePanel = lazily(async () => (await import('./picture-panel.tsx')).PicturePanel);

export function DocumentText({ docId }: { docId: string }): VNode {
  const t = sentences.value.documents;
  const record = useSignal<WireDocument | null>(null);
  useEffect(() => {
    let wanted = true;
    getDocument(docId).then(
      (found) => {
        if (wanted) record.value = found;
      },
      () => undefined,
    );
    return () => {
      wanted = false;
    };
  }, [docId]);
  const known = record.value;
  return (
    <section class="view" aria-labelledby="title">
      <div class="actions document-tools">
        <a class="button quiet" href={linkTo('documents')}>
          <Icon name="previous" />
          {t.back}
        </a>
        <span class="spacer" />
        <a class="button quiet" href={linkTo('search', { doc: docId })}>
          <Icon name="search" />
          {t.searchIn}
        </a>
        <a class="button quiet" href={originalUrl(docId)} download={known?.filename ?? ''}>
          <Icon name="download" />
          {t.original}
        </a>
      </div>
      <h1 id="title">
        <bdi>{known?.filename ?? docId}</bdi>
      </h1>
      {known === null ? null : (
        <p class="muted small">
          {figuresOf(known)} · {time(known.inserted_at)}
        </p>
      )}
      {known === null ? null : (
        <DocumentDetails
          document={known}
          onChange={(changed) => {
            record.value = changed;
          }}
        />
      )}
      <div class="card paper">
        {known?.media_type.startsWith('image/') === true ? <PicturePanel.View document={known} passage={null} /> : null}
        <TextPanel
          docId={docId}
          passage={null}
          headingLevel={2}
          withPages={hasTextPages(known?.media_type ?? '')}
          contents={contentsOf(known?.media_type ?? '')}
        />
      </div>
    </section>
  );
}
