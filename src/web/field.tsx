/** A labelled line, or several lines, of text. */
import type { VNode } from 'preact';

type Props = {
  readonly name: string;
  readonly value: string;
  readonly max?: number;
  /** More than one line where it is above 1. */
  readonly rows?: number;
  readonly hint?: string;
  /** As an HTML pattern. */
  readonly pattern?: string;
  readonly required?: boolean;
  readonly onInput: (value: string) => void;
};

export function Field({ name, value, max = 300, rows = 1, hint, pattern, required, onInput }: Props): VNode {
  const shared = { value, maxLength: max, required, spellcheck: false };
  return (
    <label>
      <span>{name}</span>
      {rows > 1 ? (
        <textarea {...shared} rows={rows} onInput={(event) => onInput(event.currentTarget.value)} />
      ) : (
        <input type="text" {...shared} pattern={pattern} onInput={(event) => onInput(event.currentTarget.value)} />
      )}
      {hint === undefined ? null : <span class="small">{hint}</span>}
    </label>
  );
}
