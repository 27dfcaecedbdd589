/** The file engine keeps every contract. */
import { engineContract } from '../../contract/engine-contract.ts';
import { fileStoreContract } from '../../contract/file-store-contract.ts';
import { taskQueueContract } from '../../contract/task-queue-contract.ts';
import { taskStoreContract } from '../../contract/task-store-contract.ts';
import { createFileEngineHarness } from '../../support/file-engine-harness.ts';

taskStoreContract('the file engine', createFileEngineHarness);
taskQueueContract('the file engine', createFileEngineHarness);
fileStoreContract('the file engine', createFileEngineHarness);
engineContract('the file engine', createFileEngineHarness);
