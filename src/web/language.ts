/** The page's language and its sentences. Both catalogues have one type, so a sentence that is missing in one does not compile. */
import { computed, effect, signal } from '@preact/signals';
import { en, type Catalogue } from './en.ts';
import { remember, remembered } from './memory.ts';
import { zh } from './zh.ts';

export type Language = 'en' | 'zh';

export const language = signal<Language>(initialLanguage());

/** The sentences in the current language. */
export const sentences = computed<Catalogue>(() => (language.value === 'zh' ? zh : en));

/** What `Intl` and the `lang` attribute want. */
export const locale = computed(() => (language.value === 'zh' ? 'zh-CN' : 'en'));

effect(() => {
  document.documentElement.lang = locale.value;
});

export function setLanguage(next: Language): void {
  language.value = next;
  remember('language', next);
}

function initialLanguage(): Language {
  const chosen = remembered('language');
  if (chosen === 'en' || chosen === 'zh') return chosen;
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en';
}
