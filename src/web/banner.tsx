/** What stands in the way of the work right now, and what to do about it; nothing when all is well. */
import type { VNode } from 'preact';
import { connection } from './feed.ts';
import { Icon } from './icons.tsx';
import { sentences } from './language.ts';
import { notReady, silent, status } from './server-state.ts';

export function Banner(): VNode {
  const t = sentences.value;
  const problems: string[] = [];
  const state = status.value;
  if (notReady.value) problems.push(t.store.starting);
  else if (silent.value || connection.value === 'offline') problems.push(t.offline);
  else if (state !== null && state.store !== 'ready') problems.push(t.store[state.store]);
  else if (state !== null && !state.worker_up) problems.push(t.workerDown);
  return (
    <div class="banners" role="status">
      {problems.map((sentence) => (
        <p key={sentence} class="banner">
          <Icon name="warning" />
          <span>{sentence}</span>
        </p>
      ))}
    </div>
  );
}
