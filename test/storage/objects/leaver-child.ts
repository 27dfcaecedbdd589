/** Opens an object and leaves before its first byte, then waits to be killed. Its argument is a FILES_URL. */
import { openS3 } from '../../../src/storage/objects/s3.ts';
import { parseFilesUrl } from '../../../src/storage/objects/files-url.ts';
import { objectCredentials } from '../../support/object-server.ts';

const store = await openS3({ ...parseFilesUrl(process.argv[2] ?? '')!, ...objectCredentials });
(await store.get('key', null))!.stream.destroy();
