/** Sentences about answers, in both languages; loaded when somebody asks for the first. */
import { computed } from '@preact/signals';
import { language } from './language.ts';

type AnswerWords = {
  readonly title: string;
  readonly ask: string;
  readonly thinking: string;
  readonly ready: string;
  readonly stop: string;
  readonly stopped: string;
  readonly failed: string;
  readonly nothing: string;
  readonly sources: string;
  readonly source: (number: string, place: string) => string;
  readonly copy: string;
  readonly followUp: string;
  readonly send: string;
};

const en: AnswerWords = {
  title: 'Answer',
  ask: 'Answer this question',
  thinking: 'Reading the passages…',
  ready: 'The answer is ready.',
  stop: 'Stop',
  stopped: 'Stopped.',
  failed: 'The answer could not be finished.',
  nothing: 'Nothing in the documents fits this question.',
  sources: 'Sources',
  source: (number, place) => `Source ${number}: ${place}`,
  copy: 'Copy with citations',
  followUp: 'Ask a follow-up question',
  send: 'Ask',
};

const zh: AnswerWords = {
  title: '回答',
  ask: '回答这个问题',
  thinking: '正在阅读相关段落…',
  ready: '回答已完成。',
  stop: '停止',
  stopped: '已停止。',
  failed: '回答未能完成。',
  nothing: '文档中没有与此问题相关的内容。',
  sources: '来源',
  source: (number, place) => `来源 ${number}：${place}`,
  copy: '复制（含引用）',
  followUp: '继续提问',
  send: '提问',
};

export const answerWords = computed(() => (language.value === 'zh' ? zh : en));
