/** The page's language and its sentences. Both catalogues have one type, so a sentence that is missing in one does not compile. */
import { computed, effect, signal } from '@preact/signals';
import { en, type Catalogue } from './en.ts';
import { remember, remembered } from './memory.ts';

export type Language = 'en' | 'zh';

export const language = signal<Language>('en');

/** Those that are loaded: English comes with the page, others when they are wanted. */
const catalogues: Record<Language, Catalogue | null> = { en, zh: null };

/** The sentences in the current language. */
export const sentences = computed<Catalogue>(() => catalogues[language.value] ?? en);

/** What `Intl` and the `lang` attribute want. */
export const locale = computed(() => (language.value === 'zh' ? 'zh-CN' : 'en'));

effect(() => {
  document.documentElement.lang = locale.value;
});

/** Remembers the choice. The page stays in its language where the other one cannot be loaded. */
export async function setLanguage(next: Language): Promise<void> {
  remember('language', next);
  await speak(next);
}

/** Before the first drawing: what was chosen here before, else what the browser asks for. */
export function startLanguage(): Promise<void> {
  return speak(initialLanguage());
}

async function speak(next: Language): Promise<void> {
  if (next === 'zh') catalogues.zh ??= await import('./zh.ts').then(({ zh }) => zh).catch(() => null);
  if (catalogues[next] !== null) language.value = next;
}

function initialLanguage(): Language {
  const chosen = remembered('language');
  if (chosen === 'en' || chosen === 'zh') return chosen;
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en';
}
