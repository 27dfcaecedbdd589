/** Figures as people read them, in the page's language. */
import { computed } from '@preact/signals';
import { language, locale } from './language.ts';

const numbers = computed(() => new Intl.NumberFormat(locale.value, { maximumFractionDigits: 1 }));
const times = computed(() => new Intl.DateTimeFormat(locale.value, { dateStyle: 'medium', timeStyle: 'medium' }));
const shortTimes = computed(
  () =>
    new Intl.DateTimeFormat(locale.value, { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }),
);
const clock = computed(() => new Intl.DateTimeFormat(locale.value, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }));

export function count(value: number): string {
  return numbers.value.format(value);
}

/** Powers of 1024, as the server's limits are: `12.3 MB`. */
export function bytes(value: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  const step = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(value) / 10));
  return `${numbers.value.format(value / 1024 ** step)} ${units[step]}`;
}

/** `iso` in the reader's own time zone. */
export function time(iso: string): string {
  return times.value.format(new Date(iso));
}

/** Day and minute, for lists. */
export function shortTime(iso: string): string {
  return shortTimes.value.format(new Date(iso));
}

export function clockTime(iso: string): string {
  return clock.value.format(new Date(iso));
}

/** A rough time span, in one unit or two: `8 s`, `3 min`, `1 h 20 min`. */
export function duration(ms: number): string {
  const words = language.value === 'zh' ? { s: ' 秒', min: ' 分', h: ' 小时' } : { s: ' s', min: ' min', h: ' h' };
  const seconds = Math.max(1, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds}${words.s}`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes}${words.min}`;
  const rest = minutes % 60;
  return `${Math.floor(minutes / 60)}${words.h}${rest === 0 ? '' : ` ${rest}${words.min}`}`;
}
