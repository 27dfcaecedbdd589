import { describe, expect, it } from 'vitest';
import { ConfigError, describeConfig, loadConfig, secretsIn, settingsTable } from '../src/config.ts';

describe('settings', () => {
  it('need no environment at all', () => {
    expect(loadConfig({})).toMatchObject({
      host: '127.0.0.1',
      port: 8000,
      syncBytesMax: 10_485_760,
      fileBytesMax: 104_857_600,
      taskRetentionHours: 24,
    });
  });

  it('are all checked at once, each problem naming the setting, what was expected and what was given', () => {
    const bad = { PORT: 'eighty', MAX_CONCURRENT_TASKS: '9', LOG_LEVEL: 'loud' };

    expect(() => loadConfig(bad)).toThrowError(ConfigError);
    try {
      loadConfig(bad);
    } catch (error) {
      expect((error as ConfigError).problems).toEqual([
        'PORT: expected a whole number from 0 to 65535, got "eighty"',
        'MAX_CONCURRENT_TASKS: expected a whole number from 1 to 4, got "9"',
        'LOG_LEVEL: expected one of debug, info, warn, error, silent, got "loud"',
      ]);
    }
  });

  it('never allow more than four tasks at once', () => {
    expect(() => loadConfig({ MAX_CONCURRENT_TASKS: '5' })).toThrowError(/from 1 to 4/);
  });

  it('take an empty value as unset', () => {
    expect(loadConfig({ PORT: '' }).port).toBe(8000);
  });

  it('are refused where they mean nothing, with a sentence, but only when somebody sets them', () => {
    const DATABASE_URL = 'postgres://me:hidden@127.0.0.1/rag';

    expect(loadConfig({ DATABASE_URL })).toMatchObject({ databaseUrl: DATABASE_URL, databaseConnections: 6 });
    expect(() => loadConfig({ DATABASE_URL, DISK_RESERVE_BYTES: '0' })).toThrowError(/^DISK_RESERVE_BYTES: .* remove it/);
    expect(() => loadConfig({ DATABASE_CONNECTIONS: '9' })).toThrowError(/^DATABASE_CONNECTIONS: .* without DATABASE_URL/);
  });

  it('do not show the password of a database that cannot be read', () => {
    expect(() => loadConfig({ DATABASE_URL: 'mysql://me:hidden@host/rag' })).toThrowError(
      /^DATABASE_URL: expected an address like postgres:[^,]*$/,
    );
  });

  it('do not show the password of several database servers', () => {
    const DATABASE_URL = 'postgres://me:hidden@one,two:6000/rag';

    expect(secretsIn({ DATABASE_URL })).toContain('hidden');
    expect(loadConfig({ DATABASE_URL }).databaseUrl).toBe(DATABASE_URL);
    expect(() => loadConfig({ DATABASE_URL: `${DATABASE_URL}?target_session_attrs=standby` })).toThrowError(
      /^DATABASE_URL: expected target_session_attrs=read-write or primary[^,]*$/,
    );
  });

  it('say their name and meaning in English and Chinese', () => {
    for (const row of settingsTable()) {
      expect(row.name).toMatch(/^[A-Z][A-Z0-9_]+$/);
      expect(row.en).toMatch(/[.:]/);
      expect(row.zh).toMatch(/[\u4e00-\u9fff]/);
    }
  });

  it('hide secrets when they are shown', () => {
    const config = loadConfig({
      API_KEYS: 'correct-horse-battery-staple-0123456789',
      DATABASE_URL: 'postgres://me:correct-horse@127.0.0.1/rag',
      QUEUE_URL: 'redis://:correct-horse@127.0.0.1',
    });

    expect(JSON.stringify(describeConfig(config))).not.toContain('correct-horse');
  });
});
