/**
 * Webhook deliveries as files: one lowdb document each, in `webhooks/waiting/` until it ended and in `webhooks/ended/` after.
 * A delivery is created by linking its complete file into place, which exactly one process can do.
 */
import { Low } from 'lowdb';
import { join } from 'node:path';
import { lock } from 'proper-lockfile';
import { hasErrno } from '../../../errors.ts';
import { type Delivery, deliveryStates, isDeliveryId } from '../../delivery.ts';
import type { DeliveryLog } from '../../delivery-log.ts';
import type { DirectorySync } from '../disk/directory-sync.ts';
import { type Disk, orNull, unlinkIfThere } from '../disk/disk.ts';
import { commit, CorruptFile, createDocument } from '../disk/durable-json.ts';

export type FileDeliveryLogOptions = {
  readonly disk: Disk;
  /** A folder of its own in the data directory; made when it is not there. */
  readonly directory: string;
  readonly syncDirectory: DirectorySync;
  /** Unique for each call. */
  readonly newId: () => string;
  /** How long ago, in milliseconds, the machine's clock showed a time; negative when it has not yet. */
  readonly age: (thenMs: number) => number;
  /** A leader that has not been heard of for this long is replaced; at least 2,000. */
  readonly leaseMs: number;
};

export function createFileDeliveryLog({
  disk,
  directory,
  syncDirectory,
  newId,
  age,
  leaseMs,
}: FileDeliveryLogOptions): DeliveryLog {
  const temporary = join(directory, 'temporary');
  const folders = { waiting: join(directory, 'waiting'), ended: join(directory, 'ended') };
  type Folder = keyof typeof folders;
  let made: Promise<void> | null = null;

  function makeFolders(): Promise<void> {
    made ??= (async () => {
      for (const path of [directory, temporary, folders.waiting, folders.ended]) await disk.mkdir(path, 'webhook.mkdir');
      await syncDirectory(directory, 'webhook.sync');
    })();
    // A disk that was full then may have room at the next call.
    made.catch(() => (made = null));
    return made;
  }

  function pathOf(folder: Folder, id: string): string {
    if (!isDeliveryId(id)) throw new Error('not the id of a delivery');
    return join(folders[folder], `${id}.json`);
  }

  function document(path: string): Low<Delivery | null> {
    return createDocument({
      disk,
      path,
      temp: () => join(temporary, newId()),
      discard: async (temp) => void (await unlinkIfThere(disk, temp, 'webhook.discard')),
      parse: parseDelivery,
      syncDirectory,
      at: 'webhook',
    });
  }

  async function read(folder: Folder, id: string): Promise<Delivery | null> {
    const found = document(pathOf(folder, id));
    try {
      await found.read();
    } catch (error) {
      if (error instanceof CorruptFile) return null;
      throw error;
    }
    return found.data;
  }

  async function has(folder: Folder, id: string): Promise<boolean> {
    return (await orNull(disk.stat(pathOf(folder, id), 'webhook.stat'))) !== null;
  }

  async function idsIn(folder: Folder): Promise<string[]> {
    const names = (await orNull(disk.list(folders[folder], 'webhook.list'))) ?? [];
    return names.map((name) => name.replace(/\.json$/, '')).filter(isDeliveryId);
  }

  return {
    async add(delivery) {
      await makeFolders();
      // In this order: a delivery moves from waiting to ended, so a look at both in the order of the move cannot miss it.
      if ((await has('waiting', delivery.id)) || (await has('ended', delivery.id))) return 'exists';
      const temp = join(temporary, newId());
      try {
        await commit(document(temp), delivery);
        await disk.link(temp, pathOf('waiting', delivery.id), 'webhook.add');
      } catch (error) {
        if (hasErrno(error, 'EEXIST')) return 'exists';
        throw error;
      } finally {
        await unlinkIfThere(disk, temp, 'webhook.discard');
      }
      await syncDirectory(folders.waiting, 'webhook.sync-waiting');
      return 'added';
    },
    async update(delivery) {
      await makeFolders();
      // Written where it lies, then moved: a crash between the two leaves it in one place, saying what it is.
      const from: Folder = (await has('waiting', delivery.id)) ? 'waiting' : 'ended';
      const to: Folder = delivery.state === 'waiting' ? 'waiting' : 'ended';
      await commit(document(pathOf(from, delivery.id)), delivery);
      if (from === to) return;
      await orNull(disk.rename(pathOf(from, delivery.id), pathOf(to, delivery.id), 'webhook.move'));
      await Promise.all([syncDirectory(folders[to], 'webhook.sync-to'), syncDirectory(folders[from], 'webhook.sync-from')]);
    },
    async get(id) {
      if (!isDeliveryId(id)) return null;
      return (await read('waiting', id)) ?? read('ended', id);
    },
    waiting: () => idsIn('waiting'),
    async list({ state, limit }) {
      const wanted: readonly Folder[] = state === undefined ? ['waiting', 'ended'] : state === 'waiting' ? ['waiting'] : ['ended'];
      const found: Delivery[] = [];
      const ids = (await Promise.all(wanted.map(async (folder) => (await idsIn(folder)).map((id) => ({ folder, id }))))).flat();
      // Ids begin with the task's, which grow with time.
      for (const { folder, id } of ids.sort((one, other) => (one.id < other.id ? 1 : -1))) {
        if (found.length >= limit) break;
        const delivery = await read(folder, id);
        if (delivery !== null && (state === undefined || delivery.state === state)) found.push(delivery);
      }
      return found;
    },
    async prune(maxMs) {
      let pruned = 0;
      for (const id of await idsIn('ended')) {
        const written = await orNull(disk.stat(pathOf('ended', id), 'webhook.stat'));
        const ageMs = written === null ? 0 : age(written.mtimeMs);
        const delivery = ageMs < 0 ? await read('ended', id) : null;
        // A clock that was ahead wrote it: as if it had ended now, or it would be kept until the clock is there again.
        if (delivery !== null) await commit(document(pathOf('ended', id)), delivery);
        if (ageMs <= maxMs) continue;
        if (await unlinkIfThere(disk, pathOf('ended', id), 'webhook.prune')) pruned += 1;
      }
      return pruned;
    },
    async lead() {
      await makeFolders();
      const lost = new AbortController();
      try {
        const release = await lock(directory, { stale: leaseMs, update: leaseMs / 4, onCompromised: () => lost.abort('lost') });
        return { lost: lost.signal, resign: () => (lost.signal.aborted ? Promise.resolve() : release()) };
      } catch (error) {
        if (hasErrno(error, 'ELOCKED')) return null;
        throw error;
      }
    },
  };
}

/** @throws CorruptFile */
function parseDelivery(data: unknown): Delivery {
  const delivery = data as Delivery;
  const whole =
    typeof data === 'object' &&
    data !== null &&
    typeof delivery.id === 'string' &&
    typeof delivery.taskId === 'string' &&
    URL.canParse(delivery.url) &&
    typeof delivery.body === 'string' &&
    typeof delivery.createdAt === 'string' &&
    deliveryStates.includes(delivery.state) &&
    Number.isInteger(delivery.failures) &&
    Array.isArray(delivery.attempts);
  if (!whole) throw new CorruptFile('not a webhook delivery');
  return delivery;
}
