/** Asks for a key; the server answers with a cookie that scripts cannot read. The key itself is not kept. */
import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { ApiError, login } from './api.ts';
import { Icon } from './icons.tsx';
import { sentences } from './language.ts';
import { config, refreshServer } from './server-state.ts';

export function LoginView(): VNode {
  const t = sentences.value;
  const field = useRef<HTMLInputElement>(null);
  const problem = useSignal<string | null>(null);
  const busy = useSignal(false);

  useEffect(() => field.current?.focus(), []);

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    busy.value = true;
    problem.value = null;
    try {
      await login(field.current?.value ?? '');
      await refreshServer();
    } catch (error) {
      const refused = error instanceof ApiError && [401, 403, 422].includes(error.status);
      problem.value = refused ? sentences.value.login.wrong : (error as Error).message;
      field.current?.select();
    } finally {
      busy.value = false;
    }
  };

  return (
    <form class="login card" onSubmit={(event) => void submit(event)}>
      <span class="login-mark">
        <Icon name="key" />
      </span>
      <h1>{t.login.title}</h1>
      <p class="muted" id="key-hint">
        {t.login.hint}
      </p>
      <label for="key">{t.login.key}</label>
      <input
        ref={field}
        id="key"
        name="key"
        type="password"
        autocomplete="current-password"
        required
        aria-describedby="key-hint key-problem"
        aria-invalid={problem.value !== null}
      />
      <p id="key-problem" class="problem" role="alert">
        {problem.value}
      </p>
      <button type="submit" class="primary" disabled={busy.value}>
        {t.login.send}
      </button>
      {config.value?.oidc === true ? <a href="login/oidc">{t.login.provider}</a> : null}
    </form>
  );
}
