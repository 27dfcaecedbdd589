/** Files in: chosen, dropped or pasted, checked, named, sent, and followed stage by stage until they can be searched. */
import { signal } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { announce } from './announcer.ts';
import { retryTask } from './api.ts';
import { docIdProblem } from './doc-id.ts';
import { filesFromInput, pickFiles } from './dropped-files.ts';
import { bytes, count, time } from './figures.ts';
import { Icon } from './icons.tsx';
import { copyText } from './clipboard.ts';
import { sentences } from './language.ts';
import { tellRefusal } from './notices.tsx';
import { msLeft } from './pace.ts';
import { sentenceOf } from './problem-words.ts';
import { linkTo } from './route.ts';
import { config } from './server-state.ts';
import { takeFiles } from './taking.ts';
import { taskById } from './task-list.ts';
import { adviceOf, failureOf, join, leftOf, sentencesOf, stepFigures } from './task-words.ts';
import {
  clearEnded,
  decide,
  doubledDocIds,
  ordered,
  outcome,
  removeUpload,
  send,
  sendable,
  sendAll,
  summary,
  taken,
  uploads,
  type Upload,
  type UploadState,
} from './uploads.ts';
import { forgetLeft, leftBehind, resumable, resume } from './unsent.ts';
import type { WireDocument, WireTask } from './wire.ts';
import { VirtualList } from './virtual-list.tsx';

/** Files are held over the page right now. */
export const dropping = signal(false);

export function UploadView(): VNode {
  const t = sentences.value.upload;
  const empty = uploads.value.length === 0;
  return (
    <section class="view" aria-labelledby="title">
      <h1 id="title">{sentences.value.views.upload}</h1>
      <p class="lead">{t.lead}</p>
      <DropZone compact={!empty} />
      <LeftBehind />
      {empty ? null : <Batch />}
    </section>
  );
}

/** Files that were on the list when the page was closed. */
function LeftBehind(): VNode | null {
  const t = sentences.value.upload;
  const left = leftBehind.value;
  if (left === null) return null;
  return (
    <div class="left-behind card" role="status">
      <p>{resumable.value.size < left.count ? t.leftBehind(count(left.count)) : t.leftReadable(count(left.count))}</p>
      <details>
        <summary>{t.whichFiles}</summary>
        <ul>
          {left.paths.map((path) => (
            <li key={path}>
              <bdi>{path}</bdi>
            </li>
          ))}
        </ul>
      </details>
      <div class="actions">
        {resumable.value.size === 0 ? null : (
          <button type="button" class="primary" onClick={() => void resume().then((files) => takeFiles({ files, leftOut: 0 }))}>
            {t.goOn(resumable.value.size)}
          </button>
        )}
        <button type="button" class="quiet" onClick={forgetLeft}>
          {t.forgetThem}
        </button>
      </div>
    </div>
  );
}

function DropZone({ compact }: { compact: boolean }): VNode {
  const t = sentences.value.upload;
  const limits = config.value;
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const take = (event: Event): void => {
    const input = event.currentTarget as HTMLInputElement;
    if (input.files !== null) takeFiles(filesFromInput(input.files));
    // So that the same file can be chosen again.
    input.value = '';
  };
  const choose = (): void => {
    pickFiles().then(
      (found) => (found === null ? files.current?.click() : takeFiles(found)),
      // A picker that a policy of the browser refuses.
      () => files.current?.click(),
    );
  };
  return (
    <div class={`drop card${compact ? ' compact' : ''}${dropping.value ? ' over' : ''}`}>
      <span class="drop-mark">
        <Icon name="upload" />
      </span>
      <p class="drop-title">{dropping.value ? t.dropNow : t.drop}</p>
      <p class="muted drop-or">{t.or}</p>
      <div class="actions">
        <button type="button" class={compact ? '' : 'primary'} onClick={choose}>
          {t.choose}
        </button>
        <button type="button" onClick={() => folder.current?.click()}>
          <Icon name="folder" />
          {t.folder}
        </button>
      </div>
      <input ref={files} type="file" multiple hidden id="files" aria-label={t.choose} onChange={take} />
      <input ref={folder} type="file" hidden id="folder" aria-label={t.folder} onChange={take} {...{ webkitdirectory: true }} />
      {limits === null ? null : <Limits max={bytes(limits.file_bytes_max)} formats={limits.formats} />}
    </div>
  );
}

/** The kinds that most people have, to be named first. */
const usualFormats = ['pdf', 'docx', 'pptx', 'xlsx', 'epub', 'html', 'md', 'txt', 'csv'];

function Limits({ max, formats }: { max: string; formats: readonly string[] }): VNode {
  const t = sentences.value.upload;
  const usual = usualFormats.filter((format) => formats.includes(format));
  const names = (list: readonly string[]): string => list.map((format) => format.toUpperCase()).join(', ');
  return (
    <details class="muted limits">
      <summary>{t.limits(max, names(usual), formats.length - usual.length)}</summary>
      <p>{names(formats)}</p>
    </details>
  );
}

/** The doc_ids can be seen and changed: for those who know what they are for. */
const showsIds = signal(false);

function Batch(): VNode {
  const t = sentences.value.upload;
  const sums = summary.value;
  const ready = sendable.value.length;
  const button = useRef<HTMLButtonElement>(null);

  // Right after files were added the next step is to send them: Enter does it.
  useEffect(() => {
    if (ready > 0) button.current?.focus({ preventScroll: true });
  }, [ready > 0]);
  useEffect(() => {
    if (sums.active > 0 || sums.completed > 0) announce(t.summary(sums.completed, sums.total, sums.failed));
  }, [sums.completed, sums.failed, sums.total]);
  const waiting = taken.value.length;
  useEffect(() => {
    if (waiting > 0) announce(t.takenCount(waiting));
  }, [waiting]);

  const ended = sums.completed + sums.failed + sums.skipped;
  const hasReady = uploads.value.some(({ state }) => state.value.phase === 'ready');
  return (
    <div class="batch">
      <div class="batch-head">
        {ready > 0 ? (
          <button ref={button} type="button" class="primary" onClick={sendAll}>
            <Icon name="upload" />
            {t.send(ready)}
          </button>
        ) : null}
        <p class="batch-sum">
          {t.summary(sums.completed, sums.total, sums.failed)} <span class="muted">{bytes(sums.bytes)}</span>
        </p>
        {hasReady ? (
          <button
            type="button"
            class="quiet"
            aria-pressed={showsIds.value}
            onClick={() => {
              showsIds.value = !showsIds.value;
            }}
          >
            {t.details}
          </button>
        ) : null}
        {ended > 0 ? (
          <>
            <button type="button" class="quiet" onClick={() => void copyText(summaryText())}>
              <Icon name="copy" />
              {t.copySummary}
            </button>
            <button type="button" class="quiet" onClick={clearEnded}>
              {t.clear}
            </button>
          </>
        ) : null}
        {sums.completed > 0 ? (
          <a class="button quiet" href={linkTo('search')}>
            <Icon name="search" />
            {t.searchNow}
          </a>
        ) : null}
      </div>
      {waiting > 1 ? (
        <div class="taken-all actions">
          <p>{t.takenCount(waiting)}</p>
          <button type="button" onClick={() => decide(taken.value, 'replace')}>
            {t.replaceAll}
          </button>
          <button type="button" onClick={() => decide(taken.value, 'number')}>
            {t.keepBothAll}
          </button>
          <button type="button" onClick={() => decide(taken.value, 'skip')}>
            {t.skipAll}
          </button>
        </div>
      ) : null}
      <VirtualList
        label={t.list}
        className="card upload-rows"
        items={ordered.value}
        keyOf={(upload) => upload.key}
        row={uploadRow}
      />
    </div>
  );
}

/** What became of each file, a line each, as it can be sent to somebody. */
function summaryText(): string {
  const t = sentences.value.upload;
  const { completed, total, failed } = summary.value;
  const lines = ordered.value.map((upload) => `${upload.path}\t${endOf(upload)}`);
  return [t.summary(completed, total, failed), ...lines].join('\n');
}

function endOf(upload: Upload): string {
  const t = sentences.value.upload;
  const state = upload.state.value;
  const end = outcome(upload);
  if (state.phase === 'refused') return t.refusals[state.reason](bytes(config.value?.file_bytes_max ?? 0));
  if (state.phase === 'failed') return sentenceOf(state.error);
  const task = state.phase === 'accepted' ? taskById(state.taskId) : undefined;
  if (end === 'failed' && task !== undefined) return failureOf(task);
  if (end === 'completed') return sentences.value.statuses.completed;
  return end === 'skipped' ? t.skipped : t.notYet;
}

const uploadRow = (upload: Upload): VNode => <UploadRow upload={upload} />;

function UploadRow({ upload }: { upload: Upload }): VNode {
  const t = sentences.value.upload;
  const state = upload.state.value;
  const task = state.phase === 'accepted' ? taskById(state.taskId) : undefined;
  const end = outcome(upload);
  return (
    <div class={`upload-row is-${end}`}>
      <div class="upload-name">
        <bdi class="name" title={upload.path}>
          {upload.file.name}
        </bdi>
        <span class="muted">{bytes(upload.file.size)}</span>
      </div>
      <UploadMiddle upload={upload} state={state} task={task} />
      <p class="upload-say">
        <Saying upload={upload} state={state} task={task} />
        {state.phase === 'refused' && state.reason === 'unknown_format' ? (
          <button type="button" onClick={() => send(upload)}>
            {t.sendAnyway}
          </button>
        ) : null}
      </p>
      <div class="row-actions">
        {state.phase === 'failed' ? <RetryButton upload={upload} onClick={() => send(upload)} /> : null}
        {task?.status === 'failed' && task.retryable === true ? (
          <RetryButton
            upload={upload}
            onClick={() =>
              void retryTask(task.task_id).catch((error: unknown) => tellRefusal(t.notRetried(upload.file.name), error))
            }
          />
        ) : null}
        <button type="button" class="quiet icon-only" aria-label={t.remove(upload.file.name)} onClick={() => removeUpload(upload)}>
          <Icon name="close" />
        </button>
      </div>
    </div>
  );
}

function RetryButton({ upload, onClick }: { upload: Upload; onClick: () => void }): VNode {
  const name = sentences.value.upload.retry(upload.file.name);
  return (
    <button type="button" class="quiet icon-only" aria-label={name} title={name} onClick={onClick}>
      <Icon name="retry" />
    </button>
  );
}

/** Between the name and the sentence: how far it is, its doc_id, or the choice its reader has. */
function UploadMiddle({ upload, state, task }: { upload: Upload; state: UploadState; task: WireTask | undefined }): VNode | null {
  if (state.phase === 'taken') return <TakenChoice upload={upload} />;
  if (state.phase === 'skipped') return null;
  if (state.phase !== 'ready') return <Stages upload={upload} state={state} task={task} />;
  const hasProblem = docIdProblem(upload.docId.value) !== null || doubledDocIds.value.has(upload.docId.value);
  return showsIds.value || hasProblem ? <DocIdField upload={upload} /> : null;
}

function TakenChoice({ upload }: { upload: Upload }): VNode {
  const t = sentences.value.upload;
  const name = (action: string): string => t.actionOn(action, upload.file.name);
  return (
    <div class="taken-one actions">
      <button type="button" aria-label={name(t.replace)} onClick={() => decide([upload], 'replace')}>
        {t.replace}
      </button>
      <button type="button" aria-label={name(t.keepBoth)} onClick={() => decide([upload], 'number')}>
        {t.keepBoth}
      </button>
      <button type="button" aria-label={name(t.skip)} onClick={() => decide([upload], 'skip')}>
        {t.skip}
      </button>
    </div>
  );
}

function DocIdField({ upload }: { upload: Upload }): VNode {
  const t = sentences.value.upload;
  const value = upload.docId.value;
  const problem = docIdProblem(value) ?? (doubledDocIds.value.has(value) ? 'doubled' : null);
  const id = `doc-id-${upload.key}`;
  return (
    <div class="doc-id">
      <label for={id}>
        <span aria-hidden="true">{t.docIdShort}</span>
        <span class="hidden">{t.docId(upload.file.name)}</span>
      </label>
      <input
        id={id}
        type="text"
        value={value}
        spellcheck={false}
        autocomplete="off"
        aria-invalid={problem !== null}
        aria-describedby={`${id}-problem`}
        onInput={(event) => {
          upload.docId.value = event.currentTarget.value;
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter') sendAll();
        }}
      />
      <span id={`${id}-problem`} class="problem">
        {problem === null ? '' : t.docIdProblems[problem]}
      </span>
    </div>
  );
}

const stageSteps = { queued: 1, parsing: 2, chunking: 3, embedding: 4, indexing: 5, done: 6 } as const;

/** How far a file has come: the step it is in (0–5; 6 is the end) and how much of that step is done (0–1). */
function place(upload: Upload, state: UploadState, task: WireTask | undefined): { step: number; part: number } {
  if (state.phase === 'sending') return { step: 0, part: upload.file.size === 0 ? 0 : state.sentBytes / upload.file.size };
  if (state.phase !== 'accepted') return { step: 0, part: 0 };
  if (task === undefined) return { step: 1, part: 0 };
  if (task.status === 'completed') return { step: 6, part: 0 };
  const step = task.stage === 'done' ? 2 : stageSteps[task.stage];
  const { pages_done: pages, pages_total: pagesAll, chunks_done: chunks, chunks_total: chunksAll } = task.progress;
  if (step === 2 && pages !== null && pagesAll) return { step, part: pages / pagesAll };
  if (step === 4 && chunks !== null && chunksAll) return { step, part: chunks / chunksAll };
  return { step, part: 0.5 };
}

function Stages({ upload, state, task }: { upload: Upload; state: UploadState; task: WireTask | undefined }): VNode {
  const t = sentences.value.upload;
  const { step, part } = place(upload, state, task);
  const failed = outcome(upload) === 'failed';
  const percent = Math.min(100, Math.round(((step + part) / 6) * 100));
  const now = step < 6 ? t.steps[step] : sentences.value.statuses.completed;
  return (
    <div
      class="stages"
      role="progressbar"
      aria-label={t.progressOf(upload.file.name)}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
      aria-valuetext={failed ? sentences.value.statuses.failed : `${now ?? ''} ${percent} %`}
    >
      {t.steps.map((name, index) => {
        const share = index < step ? 1 : index === step ? part : 0;
        const mood = failed && index === Math.min(step, 5) ? 'broken' : index < step ? 'done' : index === step ? 'now' : 'next';
        return (
          <span key={name} class={`stage stage-${mood}`}>
            <span class="bar">
              <span class="fill" style={{ transform: `scaleX(${failed && index === step ? 1 : share})` }} />
            </span>
            <span class="stage-name">{name}</span>
          </span>
        );
      })}
    </div>
  );
}

function Saying({ upload, state, task }: { upload: Upload; state: UploadState; task: WireTask | undefined }): VNode {
  const t = sentences.value.upload;
  switch (state.phase) {
    case 'ready':
      return <>{t.ready}</>;
    case 'refused':
      return <Problem sentence={t.refusals[state.reason](bytes(config.value?.file_bytes_max ?? 0))} />;
    case 'taken':
      return <Taken existing={state.existing} />;
    case 'skipped':
      return <>{t.skipped}</>;
    case 'waiting':
      return <>{t.waiting}</>;
    case 'sending':
      return <>{join(t.steps[0], t.sending(bytes(state.sentBytes), bytes(upload.file.size)), leftOf(state.msLeft))}</>;
    case 'failed':
      return <Problem sentence={sentenceOf(state.error)} />;
    case 'accepted':
      return task === undefined ? <>{sentences.value.stages.queued}</> : <TaskSaying task={task} />;
  }
}

function Taken({ existing }: { existing: WireDocument | null }): VNode {
  const t = sentences.value.upload;
  return (
    <span class="attention">
      <Icon name="warning" />
      <bdi>
        {existing === null ? t.takenSoon : t.taken(existing.filename, time(existing.inserted_at), bytes(existing.file_size))}
      </bdi>
    </span>
  );
}

function TaskSaying({ task }: { task: WireTask }): VNode {
  const { upload: t, stages, statuses } = sentences.value;
  if (task.status === 'failed') {
    return <Problem sentence={sentencesOf(failureOf(task), adviceOf(task))} />;
  }
  if (task.status === 'completed') {
    const note = task.result?.superseded === true ? t.superseded : task.result?.unchanged === true ? t.unchanged : null;
    const pages = task.result?.pages ?? null;
    return (
      <span class="ok">
        <Icon name="check" />
        {join(statuses.completed, note ?? (pages === null ? null : t.done(count(pages))))}
      </span>
    );
  }
  return <>{join(stages[task.stage], stepFigures(task), leftOf(msLeft(task)))}</>;
}

function Problem({ sentence }: { sentence: string }): VNode {
  return (
    <span class="problem" title={sentence}>
      <Icon name="warning" />
      <bdi>{sentence}</bdi>
    </span>
  );
}
