/** An answer to the question in the search field, sentence by sentence with the passages it rests on, and questions that follow on it. */
import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect } from 'preact/hooks';
import { announce } from './announcer.ts';
import { answerWords } from './answer-words.ts';
import { askAnswer, citedIn, isRunning, piecesOf, type Answer } from './answering.ts';
import { copyText } from './clipboard.ts';
import { Icon } from './icons.tsx';
import { sentences } from './language.ts';
import { pageText, permanentLink, toParameters, type KnownPassage } from './passage-link.ts';
import { sentenceOf } from './problem-words.ts';
import { linkTo, route } from './route.ts';

/** Questions of one conversation. */
const turnsMax = 20;

type Props = { readonly question: string; readonly where: string | null; readonly docId: string | null };

export function AnswerPanel({ question, where, docId }: Props): VNode {
  const t = answerWords.value;
  const turns = useSignal<readonly Answer[]>([]);
  const followUp = useSignal('');
  const last = turns.value.at(-1);
  const ask = (text: string): void => {
    const before = turns.peek().map((turn) => turn.question);
    turns.value = [...turns.peek(), askAnswer(text, { before, where, docId })].slice(-turnsMax);
  };
  // A conversation that is left is not written on.
  useEffect(() => () => turns.peek().forEach((turn) => turn.stop()), []);

  if (last === undefined)
    return (
      <p class="answer-offer">
        <button type="button" onClick={() => ask(question)}>
          <Icon name="quote" />
          {t.ask}
        </button>
      </p>
    );
  return (
    <section class="answer card" aria-label={t.title}>
      {turns.value.map((turn, index) => (
        <Turn key={index} turn={turn} isFirst={index === 0} />
      ))}
      {isRunning(last) ? null : (
        <form
          class="follow-up"
          onSubmit={(event) => {
            event.preventDefault();
            const text = followUp.value.trim();
            if (text === '') return;
            followUp.value = '';
            ask(text);
          }}
        >
          <input
            type="text"
            aria-label={t.followUp}
            placeholder={t.followUp}
            maxLength={500}
            value={followUp.value}
            onInput={(event) => {
              followUp.value = event.currentTarget.value;
            }}
          />
          <button type="submit">{t.send}</button>
        </form>
      )}
    </section>
  );
}

function Turn({ turn, isFirst }: { turn: Answer; isFirst: boolean }): VNode {
  const t = answerWords.value;
  const state = turn.state.value;
  const sources = turn.sources.value;
  const text = turn.text.value;
  useEffect(() => {
    if (state === 'done') announce(t.ready);
    if (state === 'stopped') announce(t.stopped);
  }, [state]);
  const nothing = state === 'done' && sources.size === 0;
  const cited = citedIn(text, sources);
  return (
    <div class="turn" aria-busy={isRunning(turn)}>
      {isFirst ? null : <h2 class="turn-question">{turn.question}</h2>}
      {nothing ? (
        <p>{t.nothing}</p>
      ) : (
        <p class="answer-text" dir="auto">
          {piecesOf(text, sources).map((piece, index) => {
            const source = typeof piece === 'number' ? sources.get(piece) : undefined;
            return source === undefined ? piece : <Citation key={index} number={Number(piece)} source={source} />;
          })}
          {isRunning(turn) ? <span class="muted"> {text === '' ? t.thinking : '…'}</span> : null}
        </p>
      )}
      {state === 'stopped' ? <p class="muted small">{t.stopped}</p> : null}
      {state === 'failed' ? (
        <p class="problem" role="alert">
          {t.failed} {typeof turn.problem.value === 'string' ? turn.problem.value : sentenceOf(turn.problem.value)}
        </p>
      ) : null}
      {cited.length === 0 ? null : (
        <ol class="sources" aria-label={t.sources}>
          {cited.map(([number, source]) => (
            <li key={number}>
              <Citation number={number} source={source} /> <bdi>{placeOf(source)}</bdi>
            </li>
          ))}
        </ol>
      )}
      <p class="actions">
        {isRunning(turn) ? (
          <button type="button" onClick={turn.stop}>
            <Icon name="stop" />
            {t.stop}
          </button>
        ) : nothing || text === '' ? null : (
          <button type="button" class="quiet" onClick={() => void copyText(withCitations(text, cited))}>
            <Icon name="copy" />
            {t.copy}
          </button>
        )}
      </p>
    </div>
  );
}

function Citation({ number, source }: { number: number; source: KnownPassage }): VNode {
  const { q = null, doc = null, where = null } = route.value.parameters as { q?: string; doc?: string; where?: string };
  return (
    <a
      class="cite"
      href={linkTo('search', { q, where, doc, ...toParameters(source) })}
      aria-label={answerWords.value.source(String(number), placeOf(source))}
    >
      [{number}]
    </a>
  );
}

function placeOf({ filename, page, pageEnd, section }: KnownPassage): string {
  const parts = [filename, page === null ? null : sentences.value.search.page(pageText(page, pageEnd)), section.at(-1) ?? null];
  return parts.filter((part) => part !== null).join(', ');
}

function withCitations(text: string, cited: readonly (readonly [number, KnownPassage])[]): string {
  return [text.trim(), '', ...cited.map(([number, source]) => `[${number}] ${placeOf(source)} ${permanentLink(source)}`)].join(
    '\n',
  );
}
