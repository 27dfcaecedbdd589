/** Every task, live: filter, find, cancel, stop, retry, and why one failed. The filter is in the address, so that it can be sent on. */
import { signal } from '@preact/signals';
import type { VNode } from 'preact';
import { useCallback, useEffect, useRef } from 'preact/hooks';
import { cancelTask, retryTask } from './api.ts';
import { copyText } from './clipboard.ts';
import { ConfirmDialog } from './confirm-dialog.tsx';
import { bytes, count, duration, shortTime, time } from './figures.ts';
import { Icon, type IconName } from './icons.tsx';
import { sentences } from './language.ts';
import { msLeft } from './pace.ts';
import { tellRefusal } from './notices.tsx';
import { linkTo, replaceRoute, route } from './route.ts';
import { mayWrite } from './server-state.ts';
import { hasMore, readMore, taskById, tasks, tasksLoaded, type TaskScope } from './task-list.ts';
import { failureOf, join, stepFigures } from './task-words.ts';
import { VirtualList } from './virtual-list.tsx';
import type { WireTask } from './wire.ts';

const scopes = ['all', 'pending', 'processing', 'completed', 'failed'] as const;

/** The task whose stop is being asked about. */
const stopping = signal<WireTask | null>(null);

export function TasksView(): VNode {
  const t = sentences.value.tasks;
  const scope = scopes.find((name) => name === route.value.parameters['status']) ?? 'all';
  const text = route.value.parameters['q'] ?? '';
  const open = taskById(route.value.parameters['task'] ?? '');
  const shown = fitting(tasks.value, scope, text);
  const more = hasMore(scope);
  const onEnd = useCallback(() => {
    if (tasksLoaded.value && hasMore(scope)) void readMore(scope).catch(() => undefined);
  }, [scope]);
  const row = useCallback((task: WireTask) => <TaskRow task={task} scope={scope} text={text} />, [scope, text]);

  return (
    <section class="view" aria-labelledby="title">
      <h1 id="title">{sentences.value.views.tasks}</h1>
      <div class="filters">
        <div class="segments" role="group" aria-label={t.filter}>
          {scopes.map((name) => (
            <a
              key={name}
              href={linkTo('tasks', { status: name === 'all' ? null : name, q: text })}
              aria-current={name === scope ? 'true' : undefined}
            >
              {name === 'all' ? t.all : sentences.value.statuses[name]}
            </a>
          ))}
        </div>
        <input
          type="search"
          id="task-find"
          aria-label={t.find}
          placeholder={t.find}
          value={text}
          onInput={(event) => replaceRoute('tasks', { status: scope === 'all' ? null : scope, q: event.currentTarget.value })}
        />
        <p class="muted known">{tasksLoaded.value ? t.known(count(shown.length), more) : sentences.value.loading}</p>
      </div>
      {tasksLoaded.value && shown.length === 0 && !more ? (
        <p class="nothing card">{tasks.value.length === 0 ? t.noneAtAll : t.none}</p>
      ) : (
        <VirtualList
          label={sentences.value.views.tasks}
          className="card task-rows"
          items={shown}
          keyOf={(task) => task.task_id}
          row={row}
          onEnd={onEnd}
        />
      )}
      {open === undefined ? null : <TaskDetails task={open} scope={scope} text={text} />}
      {stopping.value === null ? null : (
        <ConfirmDialog
          question={t.stopQuestion(stopping.value.filename)}
          hint={t.stopHint}
          confirm={t.stop}
          onConfirm={() => stopping.value !== null && stopTask(stopping.value)}
          onClose={() => {
            stopping.value = null;
          }}
        />
      )}
    </section>
  );
}

/** The tasks of one status whose file name, doc_id or id holds the text. */
export function fitting(all: readonly WireTask[], scope: TaskScope, text: string): readonly WireTask[] {
  const wanted = text.trim().toLowerCase();
  if (scope === 'all' && wanted === '') return all;
  return all.filter(
    (task) =>
      (scope === 'all' || task.status === scope) &&
      (wanted === '' || [task.filename, task.doc_id, task.task_id].some((field) => field.toLowerCase().includes(wanted))),
  );
}

function TaskRow({ task, scope, text }: { task: WireTask; scope: TaskScope; text: string }): VNode {
  const t = sentences.value.tasks;
  return (
    <div class="task-row">
      <StatusMark task={task} />
      <div class="task-name">
        <a class="name" href={detailsLink(task, scope, text)} aria-label={t.details(task.filename)} onKeyDown={walkRows}>
          <bdi>{task.filename}</bdi>
        </a>
        <bdi class="muted second" title={task.doc_id}>
          {task.doc_id}
        </bdi>
      </div>
      <div class="task-state">
        <TaskState task={task} />
      </div>
      <span class="muted task-size">{bytes(task.file_size)}</span>
      <time class="muted task-time" dateTime={task.created_at}>
        {shortTime(task.created_at)}
      </time>
      <div class="row-actions">
        <TaskActions task={task} labelled={false} />
      </div>
    </div>
  );
}

/** Shape and word as well as colour. */
function StatusMark({ task }: { task: WireTask }): VNode {
  return (
    <span class={`status status-${task.status}`}>
      <span class="status-dot" aria-hidden="true" />
      {sentences.value.statuses[task.status]}
    </span>
  );
}

function TaskState({ task }: { task: WireTask }): VNode | null {
  if (task.status === 'failed') return <bdi class="problem">{failureOf(task)}</bdi>;
  if (task.status === 'completed') {
    const pages = task.result?.pages ?? null;
    return <span class="muted">{pages === null ? '' : sentences.value.upload.done(count(pages))}</span>;
  }
  const left = msLeft(task);
  return (
    <span class="muted">
      {task.status === 'processing' ? (
        <span class="thin-bar" aria-hidden="true">
          <span class="fill" style={{ transform: `scaleX(${task.progress.percent / 100})` }} />
        </span>
      ) : null}
      {join(
        sentences.value.stages[task.stage],
        stepFigures(task),
        left === null ? null : sentences.value.upload.left(duration(left)),
      )}
    </span>
  );
}

/** What can be done with a task as it is now. */
function TaskActions({ task, labelled }: { task: WireTask; labelled: boolean }): VNode {
  const t = sentences.value.tasks;
  const shared = { filename: task.filename, labelled };
  return (
    <>
      {task.status === 'pending' && mayWrite.value ? (
        <Action {...shared} icon="close" name={t.cancel} onClick={() => cancel(task)} />
      ) : null}
      {task.status === 'processing' && mayWrite.value ? (
        <Action
          {...shared}
          icon="stop"
          name={t.stop}
          onClick={() => {
            stopping.value = task;
          }}
        />
      ) : null}
      {task.status === 'failed' && task.retryable === true && mayWrite.value ? (
        <Action {...shared} icon="retry" name={t.retry} onClick={() => retry(task)} />
      ) : null}
      {labelled ? <Action {...shared} icon="copy" name={t.copyId} onClick={() => void copyText(task.task_id)} /> : null}
    </>
  );
}

type ActionProps = {
  readonly icon: IconName;
  readonly name: string;
  readonly filename: string;
  /** With its name beside the icon, where there is room. */
  readonly labelled: boolean;
  readonly onClick: () => void;
};

function Action({ icon, name, filename, labelled, onClick }: ActionProps): VNode {
  return (
    <button
      type="button"
      class={labelled ? '' : 'quiet icon-only'}
      aria-label={sentences.value.tasks.actionOn(name, filename)}
      title={labelled ? undefined : name}
      onClick={onClick}
    >
      <Icon name={icon} />
      {labelled ? name : null}
    </button>
  );
}

function TaskDetails({ task, scope, text }: { task: WireTask; scope: TaskScope; text: string }): VNode {
  const t = sentences.value.tasks;
  const dialog = useRef<HTMLDialogElement>(null);
  const closer = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
    closer.current?.focus();
  }, [task.task_id]);
  const close = (): void => replaceRoute('tasks', { status: scope === 'all' ? null : scope, q: text });
  const rows: readonly Row[] = [
    [t.fields.size, bytes(task.file_size)],
    [t.fields.created, time(task.created_at)],
    [t.fields.finished, task.finished_at === null ? null : time(task.finished_at)],
    [t.fields.warnings, task.result?.warnings?.join(' ') ?? null],
  ];
  const inside: readonly Row[] = [
    [t.fields.docId, task.doc_id],
    [t.fields.id, task.task_id],
    [t.fields.stage, task.stage === 'done' ? null : sentences.value.stages[task.stage]],
    [t.fields.attempts, `${task.attempts} / ${task.max_attempts}`],
    [t.fields.started, task.started_at === null ? null : time(task.started_at)],
    [t.fields.chunks, task.result === null ? null : count(task.result.chunks)],
  ];
  return (
    <dialog ref={dialog} class="sheet-dialog" aria-labelledby="details-title" onClose={close}>
      <div class="dialog-head">
        <h2 id="details-title">
          <bdi>{task.filename}</bdi>
        </h2>
        <button
          ref={closer}
          type="button"
          class="quiet icon-only"
          aria-label={sentences.value.close}
          onClick={() => dialog.current?.close()}
        >
          <Icon name="close" />
        </button>
      </div>
      <p>
        <StatusMark task={task} />
      </p>
      {task.status === 'failed' ? (
        <div class="failure">
          <h3>{t.fields.error}</h3>
          <p>
            <bdi>{failureOf(task)}</bdi>
          </p>
          {failureOf(task) === task.error ? null : (
            <p class="muted small">
              {sentences.value.serverSays}: <bdi lang="en">{task.error}</bdi>
            </p>
          )}
          {task.error_code === null ? null : (
            <>
              <h3>{t.whatToDo}</h3>
              <p>{sentences.value.advice[task.error_code]}</p>
            </>
          )}
        </div>
      ) : null}
      <Rows rows={rows} />
      <details class="inside">
        <summary>{sentences.value.details}</summary>
        <Rows rows={inside} />
      </details>
      <div class="actions">
        {task.status === 'completed' ? (
          <a class="button" href={linkTo('documents', { text: task.doc_id })}>
            <Icon name="text" />
            {t.seeInDocuments}
          </a>
        ) : null}
        <TaskActions task={task} labelled />
      </div>
    </dialog>
  );
}

type Row = readonly [name: string, value: string | null];

function Rows({ rows }: { rows: readonly Row[] }): VNode {
  return (
    <dl>
      {rows.map(([name, value]) =>
        value === null || value === '' ? null : (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <bdi>{value}</bdi>
            </dd>
          </div>
        ),
      )}
    </dl>
  );
}

function detailsLink(task: WireTask, scope: TaskScope, text: string): string {
  return linkTo('tasks', { status: scope === 'all' ? null : scope, q: text, task: task.task_id });
}

/** Up and down go from one task's name to the next. */
function walkRows(event: KeyboardEvent): void {
  const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
  if (step === 0) return;
  const names = [...document.querySelectorAll<HTMLElement>('.task-rows .name')].sort(
    (a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top,
  );
  const next = names[names.indexOf(event.currentTarget as HTMLElement) + step];
  if (next === undefined) return;
  event.preventDefault();
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: 'nearest' });
}

/** The feed shows what comes of these; a refusal is said. */
function cancel(task: WireTask): void {
  cancelTask(task.task_id, { force: false }).catch((error: unknown) =>
    tellRefusal(sentences.value.tasks.notCancelled(task.filename), error),
  );
}

function stopTask(task: WireTask): void {
  cancelTask(task.task_id, { force: true }).catch((error: unknown) =>
    tellRefusal(sentences.value.tasks.notStopped(task.filename), error),
  );
}

function retry(task: WireTask): void {
  retryTask(task.task_id).catch((error: unknown) => tellRefusal(sentences.value.upload.notRetried(task.filename), error));
}
