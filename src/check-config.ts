/** What `--check-config` looks at beside the settings themselves: what they name must be there, or the start would refuse. */
import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError, type Config } from './config.ts';
import { embedderSettings } from './embed/create-embedder.ts';
import { loadApiKeys } from './http/access/api-keys.ts';
import { lackingLanguages, lackingSentence } from './parse/read-document.ts';

/** Of a model's folder, as on the Hugging Face hub. */
const modelFiles = ['config.json', 'tokenizer.json', join('onnx', 'model.onnx')];

/** Reads files; contacts nothing, listens nowhere, loads no model. @throws ConfigError with a sentence for each thing that is wrong. */
export async function checkNamed(config: Config): Promise<void> {
  const found = await Promise.all([
    problemOf(() => loadApiKeys(config)),
    problemOf(async () => {
      const settings = embedderSettings(config);
      if (settings.kind === 'onnx') await requireModel('EMBEDDER_MODEL_DIR', settings.modelDir);
    }),
    problemOf(async () => {
      if (config.rerankUrl === '' && config.rerankModelDir !== '') await requireModel('RERANK_MODEL_DIR', config.rerankModelDir);
    }),
  ]);
  const problems = found.filter((sentence) => sentence !== null);
  if (problems.length > 0) throw new ConfigError(problems);
}

/** What a start would warn of and not refuse. */
export async function warnedOf({ ocrLanguages: languages, ocrPages }: Config): Promise<readonly string[]> {
  const found = ocrPages === 'off' ? null : await lackingLanguages({ languages });
  return found === null ? [] : [lackingSentence(found)];
}

async function problemOf(check: () => Promise<unknown>): Promise<string | null> {
  try {
    await check();
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

async function requireModel(setting: string, folder: string): Promise<void> {
  for (const name of modelFiles) {
    const path = join(folder, name);
    const readable = await access(path, constants.R_OK).then(
      () => true,
      () => false,
    );
    if (!readable)
      throw new Error(`${setting}: ${path} does not exist or cannot be read; the folder must contain ${modelFiles.join(', ')}`);
  }
}
