import type { TaskName } from '../recipe/task.ts';
import { FORMATS, idOf, METHODS, nameOf, PRECISIONS } from './artifact.ts';
import type { Artifact, ModelRef } from './artifact.ts';
import { REPORT_VERSION } from './schema.ts';
import { scoreEntry } from './score.ts';
import { DEFAULT_TASK } from '../recipe/task.ts';

interface Version1 {
  readonly version: 1;
  readonly models: readonly { readonly id: string; readonly file: string | null }[];
  readonly recipe?: { readonly prune?: readonly unknown[]; readonly quantize?: readonly unknown[] };
}

/** A report of an earlier version as one of this version; anything else as it is. */
export function fromEarlier(json: unknown): unknown {
  return fromVersion2(fromVersion1(json));
}

/**
 * A report of version 1, which named its models by their ids alone, as one of version 2; anything else as it is. Which
 * model an id meant is found by printing the ids of all models that such a report can have.
 */
function fromVersion1(json: unknown): unknown {
  if (!isVersion1(json)) return json;
  const { models, recipe } = json;
  const known = artifacts(Math.max(models.length, recipe?.prune?.length ?? 0, recipe?.quantize?.length ?? 0));
  const rows = models.map((row) => {
    // A teacher that came as a file has one of any format.
    const found = row.file === null ? known.find(({ model }) => nameOf(model) === row.id) : undefined;
    const artifact = found ?? known.find((one) => idOf(one) === row.id);
    if (artifact === undefined) throw new Error(`a report of version 1 has no model ${row.id}`);
    const { model, precision, method, number } = artifact;
    const form = { precision, ...(method !== undefined && { method }), ...(number !== undefined && { number }) };
    return { ...row, model, ...form };
  });
  return { ...json, version: 2, models: rows };
}

interface WithAccuracy {
  readonly accuracy?: unknown;
}

interface Version2 {
  readonly dataset: { readonly task?: TaskName };
  readonly models: readonly (WithAccuracy & { readonly repeats?: { readonly accuracies: unknown } })[];
  readonly training?: readonly { readonly epochs: readonly WithAccuracy[] }[];
  readonly stages?: readonly WithAccuracy[];
  readonly pruningSensitivity?: WithAccuracy & { readonly rows: readonly WithAccuracy[] };
  readonly quantizationSensitivity?: WithAccuracy;
}

/** A report of version 2, which called the score of every task accuracy and left the task of classes out; anything else as it is. */
function fromVersion2(json: unknown): unknown {
  if ((json as { readonly version?: unknown } | null)?.version !== 2) return json;
  const { dataset, models, training, stages, pruningSensitivity, quantizationSensitivity, ...rest } = json as Version2;
  const { task = DEFAULT_TASK } = dataset;
  return {
    ...rest,
    version: REPORT_VERSION,
    dataset: { ...dataset, task },
    score: scoreEntry(task),
    models: models.map(({ repeats, ...row }) => {
      const { accuracies, ...own } = repeats ?? {};
      return { ...scored(row), ...(repeats !== undefined && { repeats: { ...own, scores: accuracies } }) };
    }),
    ...(training && { training: training.map((one) => ({ ...one, epochs: one.epochs.map(scored) })) }),
    ...(stages && { stages: stages.map(scored) }),
    ...(pruningSensitivity && {
      pruningSensitivity: { ...scored(pruningSensitivity), rows: pruningSensitivity.rows.map(scored) },
    }),
    ...(quantizationSensitivity && { quantizationSensitivity: scored(quantizationSensitivity) }),
  };
}

/** The same object with its key `accuracy` called `score`. */
function scored({ accuracy, ...rest }: WithAccuracy): object {
  return accuracy === undefined ? rest : { ...rest, score: accuracy };
}

function isVersion1(json: unknown): json is Version1 {
  const { version, models } = (json ?? {}) as Partial<Version1>;
  return version === 1 && Array.isArray(models);
}

/** Every model of a run with so many steps, in every form. */
function artifacts(most: number): Artifact[] {
  const numbers = Array.from({ length: most }, (_, i) => i + 1);
  const models: ModelRef[] = [
    ...(['teacher', 'scratch', 'distilled'] as const).map((role) => ({ role, repeat: 0 })),
    ...numbers.map((step) => ({ role: 'pruned' as const, repeat: 0, step })),
  ];
  const forms = FORMATS.flatMap((format) => formsIn(format, numbers));
  return models.flatMap((model) => forms.map((form) => ({ model, ...form })));
}

function formsIn(format: Artifact['format'], numbers: readonly number[]): Omit<Artifact, 'model'>[] {
  return PRECISIONS.flatMap((precision): Omit<Artifact, 'model'>[] =>
    precision === 'fp32'
      ? [{ format, precision }]
      : METHODS.flatMap((method) =>
          numbers.map((number) => ({ format, precision, method, ...(number > 1 && { number }) })),
        ),
  );
}
