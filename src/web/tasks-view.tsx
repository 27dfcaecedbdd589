/** Every task, live: filter, find, cancel, stop, retry, and why one failed. The filter is in the address, so that it can be sent on. */
import { signal, untracked } from '@preact/signals';
import type { VNode } from 'preact';
import { useCallback, useEffect, useRef } from 'preact/hooks';
import { cancelTask, getTask, retryTask } from './api.ts';
import { copyText } from './clipboard.ts';
import { ConfirmDialog } from './confirm-dialog.tsx';
import { bytes, count, duration, shortTime, time } from './figures.ts';
import { Icon, type IconName } from './icons.tsx';
import { sentences } from './language.ts';
import { msLeft } from './pace.ts';
import { tellRefusal } from './notices.tsx';
import { linkTo, replaceRoute, route } from './route.ts';
import { mayWrite, status } from './server-state.ts';
import { createSelection } from './selection.ts';
import { RowBox, SelectionBar } from './selection-bar.tsx';
import {
  everyTask,
  fits,
  hasMore,
  listedTasks,
  putTask,
  readMore,
  taskById,
  tasks,
  tasksLoaded,
  taskSorts,
  type TaskQuery,
  type TaskScope,
  type TaskSort,
} from './task-list.ts';
import { adviceOf, failureOf, join, stepFigures } from './task-words.ts';
import { VirtualList } from './virtual-list.tsx';
import type { WireTask } from './wire.ts';

const scopes = ['all', 'pending', 'processing', 'completed', 'failed'] as const;

/** The tasks whose stop is being asked about. */
const stopping = signal<readonly WireTask[] | null>(null);

const selection = createSelection();
/** Older tasks are being looked through for what is typed. */
const seeking = signal(false);
let sought: TaskQuery = everyTask;

export function TasksView(): VNode {
  const t = sentences.value.tasks;
  const query = queryOf(route.value.parameters);
  const { scope, q, sort } = query;
  const openId = route.value.parameters['task'] ?? '';
  const open = taskById(openId);
  const shown = listedTasks(query);
  const more = hasMore(query);
  const onEnd = useCallback(() => {
    if (tasksLoaded.value) void seek(query);
  }, [scope, q, sort]);
  const row = useCallback((task: WireTask) => <TaskRow task={task} query={query} />, [scope, q, sort]);
  // A link may lead to a task that is not in the list yet.
  useEffect(() => {
    if (openId !== '' && open === undefined)
      getTask(openId).then(
        (task) => {
          if (task !== null) putTask(task);
        },
        () => undefined,
      );
  }, [openId]);

  return (
    <section class="view" aria-labelledby="title">
      <h1 id="title">{sentences.value.views.tasks}</h1>
      <div class="filters">
        <div class="segments" role="group" aria-label={t.filter}>
          {scopes.map((name) => (
            <Tab key={name} query={{ ...query, scope: name }} isCurrent={name === scope} />
          ))}
        </div>
        <input
          type="search"
          id="task-find"
          aria-label={t.find}
          placeholder={t.find}
          value={q}
          onInput={(event) => replaceRoute('tasks', parametersOf({ ...query, q: event.currentTarget.value }))}
        />
        <select
          aria-label={t.sort}
          value={sort}
          onChange={(event) => replaceRoute('tasks', parametersOf({ ...query, sort: sortOf(event.currentTarget.value) }))}
        >
          {taskSorts.map((name) => (
            <option key={name} value={name}>
              {t.sorts[name]}
            </option>
          ))}
        </select>
        <p class="muted known">
          {!tasksLoaded.value || seeking.value ? sentences.value.loading : t.known(count(shown.length), more)}
        </p>
      </div>
      {selection.keys.value.size === 0 ? null : <TaskBar shown={shown} query={query} />}
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
      {open === undefined ? null : <TaskDetails task={open} query={query} />}
      {stopping.value === null ? null : <StopQuestion chosen={stopping.value} />}
    </section>
  );
}

function queryOf(parameters: Readonly<Record<string, string>>): TaskQuery {
  const { status, q = '', sort } = parameters;
  return { scope: scopes.find((name) => name === status) ?? 'all', q, sort: sortOf(sort) };
}

function sortOf(name: string | undefined): TaskSort {
  return taskSorts.find((known) => known === name) ?? everyTask.sort;
}

/** The other way round; what is as ever is not in the address. */
function parametersOf({ scope, q, sort }: TaskQuery): Readonly<Record<string, string | null>> {
  return { status: scope === 'all' ? null : scope, q, sort: sort === everyTask.sort ? null : sort };
}

/** Reads on until something turns up that fits, or there is no more; given up when something else is looked for. */
async function seek(query: TaskQuery): Promise<void> {
  sought = query;
  const count = (): number => untracked(() => listedTasks(query).length);
  const before = count();
  seeking.value = (query.q.trim() !== '' || before === 0) && hasMore(query);
  try {
    while (sought === query && hasMore(query) && count() === before) await readMore(query);
  } catch {
    // The list says that there is more; the feed says when the server is away.
  } finally {
    if (sought === query) seeking.value = false;
  }
}

function Tab({ query, isCurrent }: { query: TaskQuery; isCurrent: boolean }): VNode {
  const t = sentences.value.tasks;
  const name = query.scope === 'all' ? t.all : sentences.value.statuses[query.scope];
  const figure = countOf(query.scope);
  return (
    <a href={linkTo('tasks', parametersOf(query))} aria-current={isCurrent ? 'true' : undefined}>
      {/* The blank keeps word and figure apart where they are read out. */}
      {figure === 0 ? name : `${name} `}
      {figure === 0 ? null : <span class="tab-count">{count(figure)}</span>}
    </a>
  );
}

/** How many there are, where that is known: of those that are alive always, of those that have ended once all are here. 0 otherwise. */
function countOf(scope: TaskScope): number {
  if (scope === 'all') return 0;
  if (scope === 'pending' || scope === 'processing') return status.value?.[scope] ?? 0;
  return hasMore(everyTask) ? 0 : tasks.value.filter(fits({ scope, q: '' })).length;
}

function TaskBar({ shown, query }: { shown: readonly WireTask[]; query: TaskQuery }): VNode {
  const t = sentences.value.tasks;
  const chosen = shown.filter(({ task_id: id }) => selection.keys.value.has(id));
  const waiting = chosen.filter((task) => task.status === 'pending');
  const running = chosen.filter((task) => task.status === 'processing');
  const failed = chosen.filter((task) => task.status === 'failed' && task.retryable === true);
  return (
    <SelectionBar
      selection={selection}
      allKeys={shown.map(({ task_id: id }) => id)}
      hasMore={hasMore(query)}
      onAll={async () => {
        while (hasMore(query)) await readMore(query);
        selection.add(idsOf(query));
      }}
    >
      {failed.length === 0 ? null : (
        <button type="button" onClick={() => void each(failed, retry)}>
          {t.many(t.retry, count(failed.length))}
        </button>
      )}
      {waiting.length === 0 ? null : (
        <button type="button" onClick={() => void each(waiting, cancel)}>
          {t.many(t.cancel, count(waiting.length))}
        </button>
      )}
      {running.length === 0 ? null : (
        <button
          type="button"
          onClick={() => {
            stopping.value = running;
          }}
        >
          {t.many(t.stop, count(running.length))}
        </button>
      )}
    </SelectionBar>
  );
}

/** One after the other; the first refusal ends it, since it is mostly that of all others too. */
async function each(chosen: readonly WireTask[], act: (task: WireTask) => Promise<boolean>): Promise<void> {
  for (const task of chosen) {
    if (!(await act(task))) return;
    selection.clear(new Set([task.task_id]));
  }
}

function StopQuestion({ chosen }: { chosen: readonly WireTask[] }): VNode {
  const t = sentences.value.tasks;
  const [only] = chosen;
  return (
    <ConfirmDialog
      question={chosen.length === 1 && only !== undefined ? t.stopQuestion(only.filename) : t.stopMany(count(chosen.length))}
      hint={t.stopHint}
      confirm={t.stop}
      onConfirm={() => void each(chosen, stopTask)}
      onClose={() => {
        stopping.value = null;
      }}
    />
  );
}

function TaskRow({ task, query }: { task: WireTask; query: TaskQuery }): VNode {
  const t = sentences.value.tasks;
  const isChosen = selection.keys.value.has(task.task_id);
  const toggle = (extend: boolean): void => {
    selection.toggle(task.task_id, { extend, order: idsOf(query) });
  };
  return (
    <div class={`task-row${isChosen ? ' is-chosen' : ''}`}>
      {mayWrite.value ? <RowBox name={task.filename} isChosen={isChosen} onToggle={toggle} /> : <span />}
      <StatusMark task={task} />
      <div class="task-name">
        <a class="name" href={detailsLink(task, query)} aria-label={t.details(task.filename)} onKeyDown={walkRows}>
          <bdi>{task.filename}</bdi>
        </a>
        <bdi class="muted second" title={task.doc_id}>
          {task.doc_id === task.filename ? '' : task.doc_id}
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
        <Action {...shared} icon="close" name={t.cancel} onClick={() => void cancel(task)} />
      ) : null}
      {task.status === 'processing' && mayWrite.value ? (
        <Action
          {...shared}
          icon="stop"
          name={t.stop}
          onClick={() => {
            stopping.value = [task];
          }}
        />
      ) : null}
      {task.status === 'failed' && task.retryable === true && mayWrite.value ? (
        <Action {...shared} icon="retry" name={t.retry} onClick={() => void retry(task)} />
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

function TaskDetails({ task, query }: { task: WireTask; query: TaskQuery }): VNode {
  const t = sentences.value.tasks;
  const dialog = useRef<HTMLDialogElement>(null);
  const closer = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
    closer.current?.focus();
  }, [task.task_id]);
  const close = (): void => replaceRoute('tasks', parametersOf(query));
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
          {adviceOf(task) === null ? null : (
            <>
              <h3>{t.whatToDo}</h3>
              <p>{adviceOf(task)}</p>
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

function detailsLink(task: WireTask, query: TaskQuery): string {
  return linkTo('tasks', { ...parametersOf(query), task: task.task_id });
}

function idsOf(query: TaskQuery): readonly string[] {
  return untracked(() => listedTasks(query)).map(({ task_id: id }) => id);
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

/** The feed shows what comes of these; a refusal is said, and is false. */
function cancel(task: WireTask): Promise<boolean> {
  return done(cancelTask(task.task_id, { force: false }), sentences.value.tasks.notCancelled(task.filename));
}

function stopTask(task: WireTask): Promise<boolean> {
  return done(cancelTask(task.task_id, { force: true }), sentences.value.tasks.notStopped(task.filename));
}

function retry(task: WireTask): Promise<boolean> {
  return done(retryTask(task.task_id), sentences.value.upload.notRetried(task.filename));
}

function done(action: Promise<void>, otherwise: string): Promise<boolean> {
  return action.then(
    () => true,
    (error: unknown) => {
      tellRefusal(otherwise, error);
      return false;
    },
  );
}
