/** The frame around the views: navigation, state of the line, language, theme, and what concerns every view (keys, drops, pastes). */
import { computed, effect } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect } from 'preact/hooks';
import { keyWanted, logout } from './api.ts';
import { Banner } from './banner.tsx';
import { collections, currentName, switchCollection } from './collection.ts';
import { filesFromDrop, filesFromInput } from './dropped-files.ts';
import { connection, follow } from './feed.ts';
import { count, stamp } from './figures.ts';
import { Icon } from './icons.tsx';
import { language, sentences, setLanguage } from './language.ts';
import { lazily, type Lazy } from './lazy.tsx';
import { leavesNow } from './leaving.ts';
import { LoginView } from './login-view.tsx';
import { Notices, notify } from './notices.tsx';
import { goTo, linkTo, route, views, type View } from './route.ts';
import { config, mayWrite, refreshServer, silent, status, watchServer } from './server-state.ts';
import { takeFiles } from './taking.ts';
import { putTask, resyncTasks } from './task-list.ts';
import { theme, toggleTheme } from './theme.ts';
import { announcement } from './announcer.ts';
import { dropping, UploadView } from './upload-view.tsx';
import { checkAgain, hasUnsent, summary } from './uploads.ts';

const lazyViews: Readonly<Partial<Record<View, Lazy<object>>>> = {
  tasks: lazily(async () => (await import('./tasks-view.tsx')).TasksView),
  documents: lazily(async () => (await import('./documents-view.tsx')).DocumentsView),
  search: lazily(async () => (await import('./search-view.tsx')).SearchView),
  system: lazily(async () => (await import('./system-view.tsx')).SystemView),
};

/** The line to the server as its reader should see it: a stream that is open says nothing of a server that answers nobody. */
const line = computed(() => (silent.value ? 'offline' : connection.value));

/** Views that this page's key has something to do in. */
const usableViews = computed(() => views.filter((view) => view !== 'upload' || mayWrite.value));

export function App(): VNode {
  useEffect(() => {
    const life = new AbortController();
    void watchServer(life.signal).then(() => follow({ onTask: putTask, resync: resyncTasks }, life.signal));
    listenToPage(life.signal);
    guardUnsent(life.signal);
    const stop = effect(() => {
      document.title = `${sentences.value.views[route.value.view]} · rag-intake`;
    });
    const stopChecking = effect(() => {
      if (config.value !== null) checkAgain(config.value);
    });
    return () => {
      stopChecking();
      stop();
      life.abort();
    };
  }, []);

  const t = sentences.value;
  return (
    <div class="frame">
      <header class="side">
        <a class="skip" href={location.hash} onClick={skipToContent}>
          {t.skip}
        </a>
        <a class="brand" href={linkTo('upload')}>
          <svg viewBox="0 0 32 32" aria-hidden="true" focusable="false">
            <rect width="32" height="32" rx="9" />
            <path class="page" d="M9.5 8h8.5l4.5 4.5V24h-13z" />
            <path class="line" d="M13 16h6M13 20h6" />
          </svg>
          <span>rag-intake</span>
        </a>
        <CollectionSwitch />
        <nav aria-label={t.nav}>
          {usableViews.value.map((view) => (
            <NavLink key={view} view={view} />
          ))}
        </nav>
        <div class="tools">
          <span class={`line line-${line.value}`} role="status">
            <span class="dot" aria-hidden="true" />
            <span class="line-text">{t.connection[line.value]}</span>
          </span>
          <button type="button" class="quiet" lang={language.value === 'zh' ? 'en' : 'zh-CN'} onClick={switchLanguage}>
            {t.otherLanguage}
          </button>
          <button
            type="button"
            class="quiet icon-only"
            aria-label={theme.value === 'dark' ? t.toLight : t.toDark}
            title={theme.value === 'dark' ? t.toLight : t.toDark}
            onClick={toggleTheme}
          >
            <Icon name={theme.value === 'dark' ? 'sun' : 'moon'} />
          </button>
          {config.value?.auth === 'key' && !keyWanted.value ? (
            <button type="button" class="quiet icon-only" aria-label={t.login.logout} title={t.login.logout} onClick={leave}>
              <Icon name="leave" />
            </button>
          ) : null}
        </div>
      </header>
      <main id="content" tabIndex={-1}>
        <Banner />
        {keyWanted.value ? <LoginView /> : <CurrentView view={route.value.view} />}
      </main>
      <Notices />
      <div class="hidden" role="status" aria-live="polite">
        {announcement.value}
      </div>
    </div>
  );
}

function CurrentView({ view }: { view: View }): VNode {
  const shown = view === 'upload' && !mayWrite.value ? 'search' : view;
  const found = lazyViews[shown];
  return found === undefined ? <UploadView /> : <found.View key={shown} />;
}

/** There only where there is a choice. */
function CollectionSwitch(): VNode | null {
  const known = collections.value;
  if (keyWanted.value || known.length < 2) return null;
  return (
    <select
      class="collection-switch"
      aria-label={sentences.value.collection}
      value={currentName(config.value)}
      onChange={(event) => switchCollection(event.currentTarget.value)}
    >
      {known.map(({ name, title }) => (
        <option key={name} value={name}>
          {title ?? name}
        </option>
      ))}
    </select>
  );
}

function NavLink({ view }: { view: View }): VNode {
  const alive = (status.value?.pending ?? 0) + (status.value?.processing ?? 0);
  const figure = view === 'tasks' ? alive : view === 'upload' ? summary.value.active : 0;
  return (
    <a
      href={linkTo(view)}
      class="nav"
      aria-current={route.value.view === view ? 'page' : undefined}
      onPointerEnter={lazyViews[view]?.load}
      onFocus={lazyViews[view]?.load}
    >
      <Icon name={view} />
      <span>{sentences.value.views[view]}</span>
      {figure > 0 ? <span class="figure">{count(figure)}</span> : null}
    </a>
  );
}

function skipToContent(event: Event): void {
  event.preventDefault();
  document.getElementById('content')?.focus();
}

function switchLanguage(): void {
  void setLanguage(language.value === 'zh' ? 'en' : 'zh');
}

function leave(): void {
  void logout().then(refreshServer);
}

/** Before files are lost that no server has yet, the browser asks; and what was confirmed but waits for its undo is done at once. */
function guardUnsent(signal: AbortSignal): void {
  window.addEventListener(
    'beforeunload',
    (event) => {
      if (hasUnsent()) event.preventDefault();
    },
    { signal },
  );
  window.addEventListener('pagehide', leavesNow, { signal });
}

/** Drops and pastes are taken wherever they happen, and `/` leads to the search from everywhere. */
function listenToPage(signal: AbortSignal): void {
  let depth = 0;
  const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') === true;
  const onEnter = (event: DragEvent): void => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth += 1;
    dropping.value = true;
  };
  const onLeave = (event: DragEvent): void => {
    if (!hasFiles(event)) return;
    depth = Math.max(0, depth - 1);
    if (depth === 0) dropping.value = false;
  };
  const onDrop = (event: DragEvent): void => {
    if (!hasFiles(event) || event.dataTransfer === null) return;
    event.preventDefault();
    depth = 0;
    dropping.value = false;
    void filesFromDrop(event.dataTransfer).then((found) => {
      if (takeFiles(found)) goTo('upload');
    });
  };
  window.addEventListener('dragenter', onEnter, { signal });
  window.addEventListener('dragover', (event) => (hasFiles(event) ? event.preventDefault() : undefined), { signal });
  window.addEventListener('dragleave', onLeave, { signal });
  window.addEventListener('drop', onDrop, { signal });
  window.addEventListener('paste', onPaste, { signal });
  window.addEventListener('keydown', onKey, { signal });
}

function onPaste(event: ClipboardEvent): void {
  if (event.clipboardData === null || isEditable(event.target)) return;
  if (event.clipboardData.files.length > 0) {
    event.preventDefault();
    if (takeFiles(filesFromInput(event.clipboardData.files))) goTo('upload');
    return;
  }
  const text = event.clipboardData.getData('text/plain');
  if (text.trim() === '' || !mayWrite.value) return;
  event.preventDefault();
  // Mostly a field was missed: nothing is made of it unasked.
  notify({
    key: 'pasted',
    kind: 'news',
    sentence: sentences.value.upload.pasted(count(text.length)),
    action: { name: sentences.value.upload.addPasted, run: () => addPasted(text) },
  });
}

function addPasted(text: string): void {
  const name = `${sentences.value.upload.pastedName} ${stamp(new Date())}.txt`;
  if (takeFiles({ files: [{ file: new File([text], name, { type: 'text/plain' }), path: name }], leftOut: 0 })) goTo('upload');
}

function onKey(event: KeyboardEvent): void {
  if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || isEditable(event.target)) return;
  event.preventDefault();
  if (route.value.view !== 'search') goTo('search');
  // After the view is there.
  requestAnimationFrame(() => requestAnimationFrame(() => document.getElementById('query')?.focus()));
}

function isEditable(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName));
}
