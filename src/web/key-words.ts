/** Sentences about API keys, for those who manage them: in both languages, loaded with what needs them. */
import { computed } from '@preact/signals';
import { language } from './language.ts';

type KeyWords = {
  readonly list: string;
  readonly none: string;
  readonly fixed: string;
  readonly noFile: string;
  readonly everywhere: string;
  readonly only: (collections: readonly string[]) => string;
  readonly add: string;
  readonly name: string;
  readonly nameHint: string;
  readonly may: string;
  readonly reaches: string;
  readonly these: string;
  readonly create: string;
  readonly made: (name: string) => string;
  readonly madeHint: string;
  readonly key: string;
  readonly copy: string;
  readonly done: string;
  readonly revoke: string;
  readonly revokeOf: (name: string) => string;
  readonly question: (name: string) => string;
  readonly questionHint: string;
};

const en: KeyWords = {
  list: 'API keys',
  none: 'There are no keys. Anyone who can reach this server may do everything.',
  fixed: 'set in API_KEYS',
  noFile: 'To create and revoke keys here, set API_KEYS_FILE and restart the server.',
  everywhere: 'all collections',
  only: (collections) => `only ${collections.join(', ')}`,
  add: 'New key',
  name: 'Name',
  nameHint: 'Letters, digits, dots, dashes and underscores. It appears in logs and on tasks.',
  may: 'May',
  reaches: 'Has access to',
  these: 'only the collections selected below',
  create: 'Create key',
  made: (name) => `Key ${name} created`,
  madeHint: 'Copy it now and keep it safe: it cannot be shown again.',
  key: 'Key',
  copy: 'Copy key',
  done: 'Done',
  revoke: 'Revoke',
  revokeOf: (name) => `Revoke ${name}`,
  question: (name) => `Revoke the key ${name}?`,
  questionHint: 'Whoever uses it is shut out at once. This cannot be undone.',
};

const zh: KeyWords = {
  list: 'API 密钥',
  none: '还没有密钥。能访问此服务器的任何人都可以执行所有操作。',
  fixed: '来自 API_KEYS 设置',
  noFile: '如需在此创建和撤销密钥，请设置 API_KEYS_FILE 并重新启动服务器。',
  everywhere: '所有集合',
  only: (collections) => `仅限 ${collections.join('、')}`,
  add: '新建密钥',
  name: '名称',
  nameHint: '可用字母、数字、点、连字符和下划线。会出现在日志和任务中。',
  may: '权限',
  reaches: '可访问',
  these: '仅限下面选中的集合',
  create: '创建密钥',
  made: (name) => `已创建密钥 ${name}`,
  madeHint: '请立即复制并妥善保存，之后无法再次查看。',
  key: '密钥',
  copy: '复制密钥',
  done: '完成',
  revoke: '撤销',
  revokeOf: (name) => `撤销 ${name}`,
  question: (name) => `撤销密钥 ${name}？`,
  questionHint: '使用此密钥的人会立即无法访问，且无法恢复。',
};

export const keyWords = computed(() => (language.value === 'zh' ? zh : en));
