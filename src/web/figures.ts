/** Figures as people read them, in the page's language. */
import { computed } from '@preact/signals';
import { language, locale } from './language.ts';

const numbers = computed(() => new Intl.NumberFormat(locale.value, { maximumFractionDigits: 1 }));
const day = { month: 'short', day: 'numeric' } as const;
const minute = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
const times = computed(() => new Intl.DateTimeFormat(locale.value, { year: 'numeric', ...day, ...minute, second: '2-digit' }));
const shortTimes = computed(() => new Intl.DateTimeFormat(locale.value, { ...day, ...minute }));
const oldTimes = computed(() => new Intl.DateTimeFormat(locale.value, { year: 'numeric', ...day }));
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

/** Day and minute, for lists; of another year than this one the year and the day. */
export function shortTime(iso: string, now: Date = new Date()): string {
  const at = new Date(iso);
  return (at.getFullYear() === now.getFullYear() ? shortTimes : oldTimes).value.format(at);
}

/** Local time as a file name may hold it: `2026-11-29 14.05.09`. */
export function stamp(at: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = [at.getFullYear(), at.getMonth() + 1, at.getDate()].map(two).join('-');
  return `${date} ${[at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join('.')}`;
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
