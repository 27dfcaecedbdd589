/**
 * The keys that are good at this moment. The key file is looked at again a second after it was looked at last, so that a key that was
 * made, bound otherwise or revoked is so without a restart.
 */
import { stat } from 'node:fs/promises';
import { hasErrno } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import { loadApiKeys, nobodysKey, type ApiKey, type ApiKeySettings } from './api-keys.ts';

/** How old what is known of the file may be. */
const lookEveryMs = 1000;

export interface KeyRing {
  /** Cheap; what has changed in the file is seen within about a second. */
  current(): readonly ApiKey[];
  /** Looks at the file now, for whoever has just changed it. */
  look(): Promise<void>;
  close(): void;
}

export type KeyRingOptions = {
  readonly settings: ApiKeySettings;
  /** Names that were added to the keys, taken from them, or are bound or scoped otherwise now. */
  readonly onChange: (change: { readonly added: readonly string[]; readonly removed: readonly string[] }) => void;
  readonly logger: Logger;
};

/**
 * Reads the keys, and follows their file. A file that cannot be read any more leaves the keys as they were, and is spoken of in the
 * log; one without any key leaves nobody in, since a server that had keys must not be open to all when the last one is revoked.
 * @throws Error as `loadApiKeys` does, at the start only.
 */
export async function openKeyRing({ settings, onChange, logger }: KeyRingOptions): Promise<KeyRing> {
  let keys = await loadApiKeys(settings);
  let stamp = await stampOf(settings.apiKeysFile);
  let said = '';

  async function look(): Promise<void> {
    const now = await stampOf(settings.apiKeysFile);
    if (now === stamp) return;
    try {
      const fresh = await loadApiKeys({ ...settings, host: '127.0.0.1' }, (reason) =>
        logger.error({ reason }, 'a key of the key file is ignored'),
      );
      stamp = now;
      said = '';
      tell(keys, fresh);
      keys = fresh.length === 0 && keys.length > 0 ? [nobodysKey()] : fresh;
    } catch (error) {
      const { message } = error as Error;
      if (message !== said)
        logger.error({ reason: message }, 'the key file has changed and cannot be used; the keys stay as they were');
      said = message;
    }
  }

  function tell(before: readonly ApiKey[], after: readonly ApiKey[]): void {
    const known = new Set(before.map(describe));
    const kept = new Set(after.map(describe));
    const added = after.filter((key) => !known.has(describe(key))).map(({ name }) => name);
    const removed = before.filter((key) => key.name !== '' && !kept.has(describe(key))).map(({ name }) => name);
    if (added.length + removed.length === 0) return;
    logger.info({ added, removed }, 'API keys changed');
    onChange({ added, removed });
  }

  const timer =
    settings.apiKeysFile === ''
      ? null
      : setInterval(
          () => void look().catch((error: unknown) => logger.warn({ err: error }, 'the key file cannot be checked')),
          lookEveryMs,
        ).unref();
  return {
    current: () => keys,
    look,
    close() {
      if (timer !== null) clearInterval(timer);
    },
  };
}

function describe({ name, scope, collections, sha256 }: ApiKey): string {
  return JSON.stringify([name, scope, collections, Buffer.from(sha256).toString('hex')]);
}

async function stampOf(path: string): Promise<string> {
  if (path === '') return '';
  const found = await stat(path, { bigint: true }).catch((error: unknown) => {
    if (hasErrno(error, 'ENOENT')) return null;
    throw error;
  });
  return found === null ? 'absent' : `${found.ino} ${found.size} ${found.mtimeNs} ${found.ctimeNs}`;
}
