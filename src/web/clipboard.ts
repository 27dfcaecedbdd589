/** Text to the clipboard, said aloud when it is there. */
import { announce } from './announcer.ts';
import { sentences } from './language.ts';

export async function copyText(text: string): Promise<void> {
  if (navigator.clipboard === undefined) copyOldWay(text);
  else await navigator.clipboard.writeText(text).catch(() => copyOldWay(text));
  announce(sentences.value.copied);
}

/** `navigator.clipboard` is missing where the page comes over plain HTTP from another machine. */
function copyOldWay(text: string): void {
  const field = document.createElement('textarea');
  field.value = text;
  field.className = 'hidden';
  // In an open dialog everything outside is inert.
  (document.querySelector('dialog[open]') ?? document.body).append(field);
  field.select();
  document.execCommand('copy');
  field.remove();
}
