/** Sentences about collections, for those who manage them: in both languages, loaded with what needs them. */
import { computed } from '@preact/signals';
import { language } from './language.ts';

type ManagingWords = {
  readonly moveQuestion: (documents: number, shown: string) => string;
  readonly moveTo: string;
  readonly moveHint: string;
  readonly move: string;
  readonly moved: (documents: number, shown: string, collection: string) => string;
  readonly notMoved: (filename: string) => string;

  readonly list: string;
  readonly figures: (documents: number, shown: string, size: string) => string;
  readonly rereading: string;
  readonly add: string;
  readonly edit: string;
  readonly editOf: (name: string) => string;
  readonly remove: string;
  readonly removeOf: (name: string) => string;
  readonly name: string;
  readonly nameHint: string;
  readonly shownName: string;
  readonly description: string;
  readonly synonyms: string;
  readonly synonymsHint: string;
  readonly chunkTokens: string;
  readonly chunkTokensHint: string;
  readonly question: (name: string) => string;
  readonly questionHint: (documents: number, shown: string) => string;
  readonly typeName: (name: string) => string;
};

const documentsOf = (documents: number, shown: string): string => `${shown} document${documents === 1 ? '' : 's'}`;

const en: ManagingWords = {
  moveQuestion: (documents, shown) => `Move ${documentsOf(documents, shown)} to another collection`,
  moveTo: 'Collection',
  moveHint: 'Each document is read there before it is removed here. A document that is already there is not replaced.',
  move: 'Move',
  moved: (documents, shown, collection) => `${documentsOf(documents, shown)} moved to ${collection}.`,
  notMoved: (filename) => `${filename} was not moved; it is still here.`,

  list: 'Collections',
  figures: (documents, shown, size) => `${documentsOf(documents, shown)}, ${size}`,
  rereading: 'documents are being read again',
  add: 'New collection',
  edit: 'Edit',
  editOf: (name) => `Edit ${name}`,
  remove: 'Delete',
  removeOf: (name) => `Delete ${name}`,
  name: 'Name in addresses',
  nameHint: 'Lower-case letters, digits, dashes and underscores; it cannot be changed later.',
  shownName: 'Name shown',
  description: 'Description',
  synonyms: 'Synonyms',
  synonymsHint: 'One group per line, with commas between the words: holiday, leave, vacation.',
  chunkTokens: 'Longest passage, in tokens',
  chunkTokensHint: 'Leave empty for the server’s own. After a change the documents are read again.',
  question: (name) => `Delete the collection ${name}?`,
  questionHint: (documents, shown) => `${documentsOf(documents, shown)} and all tasks in it are deleted. This cannot be undone.`,
  typeName: (name) => `Type ${name} to confirm`,
};

const zh: ManagingWords = {
  moveQuestion: (_documents, shown) => `将 ${shown} 个文档移动到另一个集合`,
  moveTo: '集合',
  moveHint: '每个文档先在目标集合中处理完成，再从这里移除。目标集合中已有的文档不会被替换。',
  move: '移动',
  moved: (_documents, shown, collection) => `已将 ${shown} 个文档移动到 ${collection}。`,
  notMoved: (filename) => `${filename} 未能移动，仍在原处。`,

  list: '集合',
  figures: (_documents, shown, size) => `${shown} 个文档，${size}`,
  rereading: '正在重新处理文档',
  add: '新建集合',
  edit: '编辑',
  editOf: (name) => `编辑 ${name}`,
  remove: '删除',
  removeOf: (name) => `删除 ${name}`,
  name: '地址中的名称',
  nameHint: '小写字母、数字、连字符和下划线；以后不能更改。',
  shownName: '显示名称',
  description: '说明',
  synonyms: '同义词',
  synonymsHint: '每行一组，用逗号分隔：假期，休假，年假。',
  chunkTokens: '段落最大长度（token）',
  chunkTokensHint: '留空则使用服务器的设置。更改后，其中的文档会重新处理。',
  question: (name) => `删除集合 ${name}？`,
  questionHint: (_documents, shown) => `其中的 ${shown} 个文档和所有任务都会被删除，无法撤销。`,
  typeName: (name) => `请输入 ${name} 以确认`,
};

export const managingWords = computed(() => (language.value === 'zh' ? zh : en));
