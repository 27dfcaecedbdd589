/** The file engine agrees with the model. */
import { createFileEngineHarness } from '../support/file-engine-harness.ts';
import { engineModel } from './engine-model.ts';
import { modelRuns } from './model-runs.ts';

engineModel('the file engine', createFileEngineHarness, modelRuns({ part: 1 }));
