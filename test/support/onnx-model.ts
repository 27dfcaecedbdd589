/**
 * A tiny ONNX model written byte by byte, with the files that a loader wants beside it: for tests of the real loader without
 * any download. Each word of a small vocabulary has a vector of its own; the model looks the words up and nothing else.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export type TinyModel = {
  /** The vector of each word, all of one length; a word that is not here has the vector of `[UNK]`, zeros. */
  readonly words: Readonly<Record<string, readonly number[]>>;
  /** `vectors`: one a word (`last_hidden_state`); `logits`: their mean over the text, as a cross-encoder gives. */
  readonly output: 'vectors' | 'logits';
};

const special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];

/** Writes `config.json`, `tokenizer.json`, `tokenizer_config.json` and `onnx/model.onnx` into a new folder. */
export async function writeTinyModel(folder: string, model: TinyModel): Promise<void> {
  const words = [...special, ...Object.keys(model.words)];
  const width = Object.values(model.words)[0]!.length;
  const table = words.flatMap((word) => model.words[word] ?? Array.from({ length: width }, () => 0));
  await mkdir(join(folder, 'onnx'), { recursive: true });
  await writeFile(join(folder, 'onnx', 'model.onnx'), toOnnx(model.output, Float32Array.from(table), words.length, width));
  await writeFile(join(folder, 'config.json'), JSON.stringify(config(model.output, words.length, width)));
  await writeFile(
    join(folder, 'tokenizer_config.json'),
    JSON.stringify({
      tokenizer_class: 'BertTokenizer',
      model_max_length: 128,
      do_lower_case: true,
      pad_token: '[PAD]',
      unk_token: '[UNK]',
      cls_token: '[CLS]',
      sep_token: '[SEP]',
      mask_token: '[MASK]',
    }),
  );
  await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer(words)));
}

function config(output: TinyModel['output'], words: number, width: number): object {
  const architecture = output === 'vectors' ? 'BertModel' : 'BertForSequenceClassification';
  return {
    model_type: 'bert',
    architectures: [architecture],
    vocab_size: words,
    hidden_size: width,
    id2label: { 0: 'score' },
    label2id: { score: 0 },
  };
}

function tokenizer(words: readonly string[]): object {
  const id = (word: string) => words.indexOf(word);
  const piece = (word: string) => ({ SpecialToken: { id: word, type_id: 0 } });
  const text = (name: string, type: number) => ({ Sequence: { id: name, type_id: type } });
  const tokens = Object.fromEntries(['[CLS]', '[SEP]'].map((word) => [word, { id: word, ids: [id(word)], tokens: [word] }]));
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: special.map((content, index) => ({
      id: index,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single: [piece('[CLS]'), text('A', 0), piece('[SEP]')],
      pair: [piece('[CLS]'), text('A', 0), piece('[SEP]'), text('B', 1), piece('[SEP]')],
      special_tokens: tokens,
    },
    decoder: null,
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(words.map((word, index) => [word, index])),
    },
  };
}

/** ModelProto: Gather (a row of the table for each word), and for logits the mean over the words. */
function toOnnx(output: TinyModel['output'], table: Float32Array, words: number, width: number): Buffer {
  const gathered = output === 'vectors' ? 'last_hidden_state' : 'rows';
  const nodes = [node('Gather', ['table', 'input_ids'], [gathered])];
  if (output === 'logits') {
    // ReduceMean with axes as an attribute (operator set 13): [batch, words, 1] becomes [batch, 1].
    nodes.push(node('ReduceMean', [gathered], ['logits'], [intsAttribute('axes', [1]), intAttribute('keepdims', 0)]));
  }
  const shape = output === 'vectors' ? ['batch', 'words', width] : ['batch', width];
  const graph = Buffer.concat([
    ...nodes.map((each) => field(1, each)),
    field(2, Buffer.from('tiny')),
    field(5, tensor('table', [words, width], table)),
    field(11, valueInfo('input_ids', 7, ['batch', 'words'])),
    field(11, valueInfo('attention_mask', 7, ['batch', 'words'])),
    field(12, valueInfo(output === 'vectors' ? gathered : 'logits', 1, shape)),
  ]);
  const operators = Buffer.concat([field(1, Buffer.from('')), number(2, 13)]);
  return Buffer.concat([number(1, 8), field(7, graph), field(8, operators)]);
}

function node(operator: string, inputs: readonly string[], outputs: readonly string[], attributes: readonly Buffer[] = []): Buffer {
  return Buffer.concat([
    ...inputs.map((name) => field(1, Buffer.from(name))),
    ...outputs.map((name) => field(2, Buffer.from(name))),
    field(4, Buffer.from(operator)),
    ...attributes.map((attribute) => field(5, attribute)),
  ]);
}

function intsAttribute(name: string, values: readonly number[]): Buffer {
  return Buffer.concat([field(1, Buffer.from(name)), ...values.map((value) => number(8, value)), number(20, 7)]);
}

function intAttribute(name: string, value: number): Buffer {
  return Buffer.concat([field(1, Buffer.from(name)), number(3, value), number(20, 2)]);
}

function tensor(name: string, dims: readonly number[], values: Float32Array): Buffer {
  const raw = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return Buffer.concat([...dims.map((dim) => number(1, dim)), number(2, 1), field(8, Buffer.from(name)), field(9, raw)]);
}

function valueInfo(name: string, elementType: number, shape: readonly (string | number)[]): Buffer {
  const dims = shape.map((dim) => field(1, typeof dim === 'number' ? number(1, dim) : field(2, Buffer.from(dim))));
  const tensorType = Buffer.concat([number(1, elementType), field(2, Buffer.concat(dims))]);
  return Buffer.concat([field(1, Buffer.from(name)), field(2, field(1, tensorType))]);
}

/** Protocol buffers: a field of bytes, and a field with a whole number. */
function field(id: number, bytes: Buffer): Buffer {
  return Buffer.concat([varint(id * 8 + 2), varint(bytes.length), bytes]);
}

function number(id: number, value: number): Buffer {
  return Buffer.concat([varint(id * 8), varint(value)]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}
