import { FORMATS, idOf, nameOf, PRECISIONS } from './artifact.ts';
import type { Artifact, ModelRef } from './artifact.ts';

interface Version1 {
  readonly version: 1;
  readonly models: readonly { readonly id: string; readonly file: string | null }[];
  readonly recipe?: { readonly prune?: readonly unknown[]; readonly quantize?: readonly unknown[] };
}

/**
 * A report of version 1, which named its models by their ids alone, as one of this version; anything else as it is. Which
 * model an id meant is found by printing the ids of all models that such a report can have.
 */
export function fromVersion1(json: unknown): unknown {
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
      : (['ptq', 'qat'] as const).flatMap((method) =>
          numbers.map((number) => ({ format, precision, method, ...(number > 1 && { number }) })),
        ),
  );
}
