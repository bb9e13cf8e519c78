import type { Traffic } from '../../base/events.ts';
import { limbeckVersion, versionOf } from '../../base/process/packages.ts';
import { labelledCount } from '../../data/readers/labelled.ts';
import type { LoadedDataset } from '../../data/load.ts';
import { cpuFeatures, machineInfo, systemRelease } from '../../measure/machine.ts';
import type { Recipe } from '../../recipe/schema.ts';
import { REPORT_VERSION } from '../../report/schema.ts';
import { scoreEntry } from '../../report/score.ts';
import type {
  DatasetSummary,
  Environment,
  Machine,
  ModelRow,
  Report,
  StageSummary,
  TrainingCurve,
} from '../../report/types.ts';
import type { Engine } from '../../runtime/engine.ts';
import type { Ledger } from '../states/ledger.ts';
import { DEFAULT_TASK } from '../../recipe/task.ts';

/** Course of a run so far: its recipe, its time, its curves. */
export interface Course {
  /** The recipe as written, with file names as the user gave them. */
  readonly written: Recipe;
  readonly wallSeconds: number;
  readonly training: readonly TrainingCurve[];
  readonly stages?: readonly StageSummary[];
}

interface Known {
  readonly recipe: Recipe;
  readonly data?: LoadedDataset;
  readonly engine?: Engine;
}

/** Data, models and machine of a run. The ledger keeps them for the report of a killed run. */
export interface RunFacts {
  readonly machine: Machine;
  readonly dataset: DatasetSummary;
  readonly warnings: readonly string[];
}

/** The facts of a run. Before the data are read and the engine is opened, they come from the recipe. */
export function factsOf({ recipe, data, engine }: Known): RunFacts {
  const { type, task = DEFAULT_TASK } = recipe.dataset;
  const isUnknown = data?.validation.labelled !== undefined;
  const labelledBy = data?.labelledBy ?? recipe.dataset.labelledBy ?? (isUnknown ? 'the teacher' : undefined);
  const labelled = data === undefined ? 0 : labelledCount(data.train);
  return {
    machine: { ...machineInfo(), engine: engine?.name ?? recipe.engine, device: engine?.device ?? recipe.device },
    dataset:
      data === undefined
        ? { type, task, classes: 0, sampleShape: [], samples: { train: 0, validation: 0, test: 0 } }
        : {
            type,
            task,
            classes: data.classNames.length,
            classNames: data.classNames,
            ...(labelledBy !== undefined && { labelledBy }),
            sampleShape: data.train.sampleShape,
            samples: { train: data.train.count, validation: data.validation.count, test: data.test?.count ?? 0 },
            ...(labelled < data.train.count && { labelled }),
          },
    warnings: data?.warnings ?? [],
  };
}

/** State of a run that stopped. */
export interface StoppedFindings extends Course {
  readonly models: readonly ModelRow[];
  readonly stopped: { readonly status: 'failed' | 'interrupted'; readonly stage: string; readonly reason: string };
}

/** The report of an unfinished run. */
export function stoppedReport(recipe: Recipe, facts: RunFacts, found: StoppedFindings): Report {
  const { models, stopped, ...rest } = found;
  const { status, stage, reason } = stopped;
  return {
    ...frameOf(recipe, facts, rest),
    status,
    stopped: { stage, reason },
    models,
    parity: [],
    notes: facts.warnings,
  };
}

/** Fields of every report. */
export function frameOf(
  { name, seed, dataset: { score } }: Recipe,
  { machine, dataset }: RunFacts,
  { written, wallSeconds, training, stages = [] }: Course,
) {
  return {
    version: REPORT_VERSION,
    name,
    seed,
    wallSeconds,
    machine,
    dataset,
    score: scoreEntry(dataset.task, score),
    ...(training.length > 0 && { training }),
    ...(stages.length > 0 && { stages }),
    environment: environment(),
    recipe: written,
  };
}

/** The stages of the ledger with the time of each, without figures that the report has elsewhere. */
export function stagesOf(ledger: Pick<Ledger, 'times' | 'find'>): StageSummary[] {
  return [...ledger.times].map(([stage, seconds]) => {
    const { figures, notes } = ledger.find(stage) ?? {};
    return {
      stage,
      seconds,
      ...(figures?.score !== undefined && { score: figures.score }),
      ...(notes?.['traffic'] !== undefined && { traffic: notes['traffic'] as Traffic }),
    };
  });
}

const PACKAGES = [
  'onnxruntime-node',
  '@tensorflow/tfjs-core',
  '@tensorflow/tfjs-layers',
  '@litertjs/core',
  'tfjs-tflite-node',
  'sharp',
];

function environment(): Environment {
  return {
    limbeck: limbeckVersion(),
    system: systemRelease(),
    packages: Object.fromEntries(PACKAGES.map((name) => [name, versionOf(name)])),
    cpuFeatures: cpuFeatures()?.flatMap(({ name, present }) => (present ? [name] : [])) ?? null,
  };
}
