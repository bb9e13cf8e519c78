import { sideBySide } from '../measure/accuracy.ts';
import { cpuFeatures, machineInfo, systemRelease } from '../measure/machine.ts';
import type {
  Agreement,
  DatasetSummary,
  Environment,
  Machine,
  ModelRow,
  PruningSensitivity,
  QuantizationSensitivity,
  Report,
  StageSummary,
  TeacherSummary,
  TrainingCurve,
} from '../report/types.ts';
import { verdictOf } from '../report/verdict.ts';
import type { Recipe } from '../recipe/schema.ts';
import type { Traffic } from '../runtime/traffic.ts';
import type { StageContext } from './context.ts';
import { limbeckVersion, versionOf } from '../base/packages.ts';
import type { LedgerRow } from './ledger.ts';
import type { TrainedModel } from './stages/export.ts';
import type { Timed } from './stages/latency.ts';
import type { Measured } from './stages/measure.ts';

export interface Student extends TrainedModel {
  readonly id: 'scratch' | 'distilled';
}

/** What the stages came to, as far as the run came. */
export interface Findings {
  readonly measured: readonly Measured[];
  readonly answers?: TeacherSummary | undefined;
  readonly timed?: Timed | undefined;
  readonly pruningSensitivity?: PruningSensitivity | undefined;
  /** What stages left alone, and why. */
  readonly notes?: readonly string[];
  readonly training: readonly TrainingCurve[];
  readonly stages?: readonly StageSummary[];
  readonly quantizationSensitivity?: QuantizationSensitivity | undefined;
  /** The recipe as it was written: file names as the user gave them. */
  readonly written: Recipe;
  readonly wallSeconds: number;
}

/** What a run works on and with. The ledger keeps it, for the report of a run that cannot tell it itself any more. */
export interface RunFacts {
  readonly machine: Machine;
  readonly dataset: DatasetSummary;
  readonly warnings: readonly string[];
}

/** The facts of a run. Until the data is read and the engine is there, they are what the recipe says. */
export function factsOf({ recipe, data, engine }: Partial<StageContext> & Pick<StageContext, 'recipe'>): RunFacts {
  const { type } = recipe.dataset;
  return {
    machine: { ...machineInfo(), engine: engine?.name ?? recipe.engine, device: engine?.device ?? recipe.device },
    dataset:
      data === undefined
        ? { type, classes: 0, sampleShape: [], samples: { train: 0, validation: 0, test: 0 } }
        : {
            type,
            classes: data.classNames.length,
            classNames: data.classNames,
            sampleShape: data.train.sampleShape,
            samples: { train: data.train.count, validation: data.validation.count, test: data.test?.count ?? 0 },
          },
    warnings: data?.warnings ?? [],
  };
}

/** What a run that stopped had come to until then. */
export interface StoppedFindings extends Pick<Findings, 'written' | 'wallSeconds' | 'training' | 'stages'> {
  readonly models: readonly ModelRow[];
  readonly stopped: { readonly status: 'failed' | 'interrupted'; readonly stage: string; readonly reason: string };
}

/** The report of a run that did not come to its end. */
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

/** What every report has. */
function frameOf(
  { name, seed }: Recipe,
  { machine, dataset }: RunFacts,
  { written, wallSeconds, training, stages = [] }: Pick<Findings, 'written' | 'wallSeconds' | 'training' | 'stages'>,
) {
  return {
    ...{ version: 1 as const, name, seed, wallSeconds, machine, dataset },
    ...(training.length > 0 && { training }),
    ...(stages.length > 0 && { stages }),
    environment: environment(),
    recipe: written,
  };
}

/** Everything that a run found out, side by side. Models appear once, repeats of them in the verdict. */
export function makeReport(
  context: StageContext,
  { measured, answers, timed, notes = [], quantizationSensitivity, pruningSensitivity, ...rest }: Findings,
): Report {
  const { data } = context;
  const test = (id: string): number[] =>
    measured.flatMap((model) => {
      const { validation, test: onTest } = model.row.accuracy;
      return model.id === id ? [onTest ?? validation ?? NaN] : [];
    });
  const [distilled, scratch] = [test('distilled'), test('scratch')];
  const hasPair = distilled.length > 0 && distilled.length === scratch.length;
  return {
    ...frameOf(context.recipe, factsOf(context), rest),
    status: 'complete',
    ...(answers !== undefined && { teacher: answers }),
    models: measured
      .filter(({ repeat }) => repeat === 0)
      .map(({ row, predicted }) => ({
        ...row,
        latency: timed?.rows.get(row.id) ?? [],
        ...agreementOf(row.id, predicted, measured, data),
      })),
    ...(hasPair && { verdict: verdictOf(distilled, scratch, (data.test ?? data.validation).count) }),
    ...(pruningSensitivity !== undefined && { pruningSensitivity }),
    parity: measured.flatMap(({ exported }) => (exported === undefined ? [] : [exported.parity])),
    ...(timed?.measurement && { measurement: timed.measurement }),
    ...(quantizationSensitivity !== undefined && { quantizationSensitivity }),
    notes: [...data.warnings, ...notes, ...(timed?.notes ?? [])],
  };
}

/** How a model stands beside the teacher, sample by sample. */
function agreementOf(
  id: string,
  predicted: Int32Array,
  measured: readonly Measured[],
  data: StageContext['data'],
): { agreement?: Agreement } {
  const teacher = measured.find((model) => model.id === 'teacher');
  if (teacher === undefined || id === 'teacher') return {};
  const split = data.test === undefined ? 'validation' : 'test';
  const { onlyOther, ...counts } = sideBySide(predicted, teacher.predicted, data[split]!.labels);
  return { agreement: { split, ...counts, onlyTeacher: onlyOther } };
}

/** The stages of the ledger, without what the report has elsewhere. */
export function stagesOf(rows: readonly LedgerRow[]): StageSummary[] {
  return rows.map(({ stage, seconds, figures: { accuracy }, notes: { traffic } }) => ({
    stage,
    seconds,
    ...(accuracy !== undefined && { accuracy }),
    ...(traffic !== undefined && { traffic: traffic as Traffic }),
  }));
}

const PACKAGES = ['onnxruntime-node', '@tensorflow/tfjs-core', '@tensorflow/tfjs-layers', '@litertjs/core', 'sharp'];

function environment(): Environment {
  return {
    limbeck: limbeckVersion(),
    system: systemRelease(),
    packages: Object.fromEntries(PACKAGES.map((name) => [name, versionOf(name)])),
    cpuFeatures: cpuFeatures()?.flatMap(({ name, present }) => (present ? [name] : [])) ?? null,
  };
}
