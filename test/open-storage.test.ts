import { expect, it } from 'vitest';
import { loadConfig } from '../src/config.ts';
import { certificateFiles } from '../src/open-storage.ts';

it('names the certificates of the database, which a confined worker must be able to read', () => {
  const DATABASE_URL = 'postgres://me@db.example/rag?sslmode=verify-full&sslrootcert=/etc/ssl/ca.pem&sslkey=/etc/ssl/me.key';

  expect(certificateFiles(loadConfig({ DATABASE_URL }))).toEqual(['/etc/ssl/ca.pem', '/etc/ssl/me.key']);
  expect(certificateFiles(loadConfig({}))).toEqual([]);
});
