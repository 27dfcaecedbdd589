/** Looks through the objects of a database once, as every process does daily. Its first argument is an order as JSON. */
import { openDatabase } from '../../src/storage/postgres/database.ts';
import { createObjectBlobs, openObjects } from '../../src/storage/postgres/object-blobs.ts';
import { parseFilesUrl } from '../../src/storage/objects/files-url.ts';
import { openS3 } from '../../src/storage/objects/s3.ts';
import { silentLogger as logger } from '../support/engine-steps.ts';
import { objectCredentials } from '../support/object-server.ts';

const { url, filesUrl } = JSON.parse(process.argv[2] ?? '') as { url: string; filesUrl: string };
const database = await openDatabase({ url, connectionsMax: 2, idleInTransactionMs: 0, logger });
const objects = await openObjects(database, await openS3({ ...parseFilesUrl(filesUrl)!, ...objectCredentials }));
const blobs = createObjectBlobs({ ...objects!, database, owner: 'sweeper', workDir: '', logger });
// As if nobody had since yesterday.
await database.run('UPDATE object_space SET swept_at = NULL');
await blobs.sweep();
await blobs.close();
await database.close();
