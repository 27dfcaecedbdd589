/** How the server is: what waits and runs, what was done in the last hour, and how much room there is. */
import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { BarChart } from './chart.tsx';
import { currentName } from './collection.ts';
import { bytes, clockTime, count } from './figures.ts';
import { sentences } from './language.ts';
import { lazily, type Lazy } from './lazy.tsx';
import { config, mayManage, status } from './server-state.ts';
import type { WireStatus } from './wire.ts';

const CollectionsPanel = lazily(async () => (await import('./collections-panel.tsx')).CollectionsPanel);
const KeysPanel = lazily(async () => (await import('./keys-panel.tsx')).KeysPanel);

type Minute = WireStatus['history'][number];

export function SystemView(): VNode {
  const t = sentences.value.system;
  const state = status.value;
  return (
    <section class="view" aria-labelledby="title">
      <h1 id="title">{sentences.value.views.system}</h1>
      {state === null ? (
        <p class="muted">{t.noData}</p>
      ) : (
        <>
          <div class="charts">
            <Queue />
            <Running />
            <Throughput />
          </div>
          <h2 class="section-title">{t.server}</h2>
          <div class="facts card">
            <dl>
              <Fact
                name={t.storeState}
                value={state.store === 'ready' ? t.storeReady : sentences.value.store[state.store]}
                good={state.store === 'ready'}
              />
              <Fact name={t.worker} value={state.worker_up ? t.up : t.down} good={state.worker_up} />
              <Fact name={t.documents} value={count(state.documents)} />
              <Fact name={t.chunks} value={count(state.chunks)} />
              <Fact name={t.damaged} value={count(state.documents_damaged)} good={state.documents_damaged === 0} />
              <Fact name={t.index} value={bytes(state.index_bytes)} />
              <div>
                <dt>{t.disk}</dt>
                <dd>
                  {t.diskFree(bytes(state.disk_free_bytes), bytes(state.disk_total_bytes))}
                  <meter
                    min={0}
                    max={state.disk_total_bytes}
                    low={state.disk_total_bytes * 0.8}
                    high={state.disk_total_bytes * 0.95}
                    optimum={0}
                    value={state.disk_total_bytes - state.disk_free_bytes}
                    aria-label={t.disk}
                  />
                </dd>
              </div>
              <Fact name={t.version} value={config.value?.version ?? '–'} />
            </dl>
          </div>
          <Settings />
          {mayManage.value ? (
            <>
              <Managing words={sentences.value.collections} panel={CollectionsPanel} />
              <Managing words={sentences.value.keys} panel={KeysPanel} />
            </>
          ) : null}
        </>
      )}
    </section>
  );
}

type ManagingProps = { readonly words: { readonly title: string; readonly manage: string }; readonly panel: Lazy<object> };

/** What administrators manage here, loaded when one of them wants to. */
function Managing({ words, panel: { View } }: ManagingProps): VNode {
  const isOpen = useSignal(false);
  return (
    <>
      <h2 class="section-title">{words.title}</h2>
      {isOpen.value ? (
        <View />
      ) : (
        <p>
          <button type="button" onClick={() => (isOpen.value = true)}>
            {words.manage}
          </button>
        </p>
      )}
    </>
  );
}

/** Who is looking, what they may do, and what this server takes and gives. */
function Settings(): VNode | null {
  const t = sentences.value.settings;
  const known = config.value;
  if (known === null) return null;
  const who = known.auth === 'none' ? t.nobody : (known.key?.name ?? '–');
  const may = known.auth === 'none' ? t.scopes.admin : t.scopes[known.key?.scope ?? 'read'];
  return (
    <>
      <h2 class="section-title">{t.title}</h2>
      <div class="settings card">
        <dl>
          <Fact name={t.who} value={who} />
          <Fact name={t.may} value={may} />
          <Fact name={t.collection} value={currentName(known)} />
          <Fact name={t.largest} value={bytes(known.file_bytes_max)} />
          <Fact name={t.answers} value={known.answers ? t.available : t.notSetUp('ANSWER_URL')} />
          <Fact name={t.pictures} value={known.formats.includes('png') ? t.available : t.notSetUp('OCR_PAGES', 'OCR_LANGUAGES')} />
        </dl>
        <dl class="wide">
          <Fact name={t.formats} value={known.formats.map((format) => format.toUpperCase()).join(', ')} />
        </dl>
      </div>
    </>
  );
}

function Queue(): VNode {
  const t = sentences.value.system;
  return (
    <Figure
      title={t.queue}
      now={status.value?.pending ?? 0}
      unit={t.pending(status.value?.pending ?? 0)}
      pick={(minute) => minute.pending}
    />
  );
}

function Running(): VNode {
  const t = sentences.value.system;
  const now = status.value?.processing ?? 0;
  return (
    <Figure
      title={t.running}
      now={now}
      unit={t.processing(count(now), count(status.value?.threads ?? 0))}
      pick={(minute) => minute.processing}
    />
  );
}

type FigureProps = {
  readonly title: string;
  readonly now: number;
  readonly unit: string;
  readonly pick: (minute: Minute) => number;
};

/** A figure now, and the most of it in each minute of the last hour. */
function Figure({ title, now, unit, pick }: FigureProps): VNode {
  const t = sentences.value.system;
  const history = status.value?.history ?? [];
  const bars = history.map((minute) => ({
    good: pick(minute),
    bad: 0,
    title: `${clockTime(minute.minute)}: ${count(pick(minute))}`,
  }));
  const most = Math.max(0, ...history.map(pick));
  return (
    <div class="card figure-card">
      <h2>{title}</h2>
      <p class="big">
        {count(now)} <span class="muted">{unit}</span>
      </p>
      <BarChart bars={bars} label={t.chart(title, count(now), count(most))} />
      <p class="muted small">{t.mostInHour(count(most))}</p>
    </div>
  );
}

function Throughput(): VNode {
  const t = sentences.value.system;
  const history = status.value?.history ?? [];
  const sum = (pick: 'completed' | 'failed' | 'bytes'): number => history.reduce((total, minute) => total + minute[pick], 0);
  const bars = history.map((minute) => ({
    good: minute.completed,
    bad: minute.failed,
    title: `${clockTime(minute.minute)}: ${t.perMinute(count(minute.completed), count(minute.failed))}`,
  }));
  const latest = history.at(-1);
  const most = Math.max(0, ...history.map((minute) => minute.completed + minute.failed));
  return (
    <div class="card figure-card">
      <h2>{t.throughput}</h2>
      <p class="big">
        {count(sum('completed'))} <span class="muted">{t.finished(count(sum('failed')))}</span>
      </p>
      <BarChart bars={bars} label={t.chart(t.throughput, count((latest?.completed ?? 0) + (latest?.failed ?? 0)), count(most))} />
      <p class="muted small">
        {t.lastHour} · {t.volume} {bytes(sum('bytes'))}
      </p>
    </div>
  );
}

function Fact({ name, value, good }: { name: string; value: string; good?: boolean }): VNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd class={good === undefined ? '' : good ? 'ok' : 'problem'}>{value}</dd>
    </div>
  );
}
