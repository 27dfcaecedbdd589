import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DocumentError } from '../../../src/errors.ts';
import { createDocumentParser } from '../../../src/parse/document-parser.ts';
import { hostileOfficeFiles } from '../../support/hostile-office.ts';
import { parseBytes } from '../../support/parse.ts';

const requests: string[] = [];
const canary = createServer((request, response) => {
  requests.push(request.url ?? '');
  response.end();
});
let address = '';

beforeAll(async () => {
  await new Promise<void>((resolve) => {
    canary.listen(0, '127.0.0.1', resolve);
  });
  address = `http://127.0.0.1:${(canary.address() as AddressInfo).port}`;
});

afterAll(() => {
  canary.close();
});

// The names are needed before the server's address is known.
const names = hostileOfficeFiles('http://127.0.0.1').map((file) => file.name);

describe('a hostile office file [S11] [S12] [S13] [S14]', () => {
  const parser = createDocumentParser({});

  it.each(names)('%s ends as it should, and asks nobody for anything', async (name) => {
    const file = hostileOfficeFiles(address).find((each) => each.name === name)!;

    const end = await parseBytes(parser, file.bytes(), {
      filename: name,
      ...(file.quick === undefined ? {} : { limits: file.quick }),
    }).then(
      () => 'read',
      (error: unknown) => {
        if (error instanceof DocumentError) return `${error.code}: ${error.message}`;
        throw error;
      },
    );

    if (file.ends === 'read') expect(end).toBe('read');
    else expect(end).toMatch(file.ends);
    expect(requests).toEqual([]);
  });
});
