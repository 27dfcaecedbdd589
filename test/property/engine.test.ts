/** The file engine agrees with the model; `ENGINE_MODEL_RUNS=300` asks more of it. */
import { createFileEngineHarness } from '../support/file-engine-harness.ts';
import { engineModel } from './engine-model.ts';

engineModel('the file engine', createFileEngineHarness, { runs: Number(process.env['ENGINE_MODEL_RUNS'] ?? 10) });
