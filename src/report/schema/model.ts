import { z } from 'zod';
import { Slot } from '../../base/registry.ts';
import { usualSchema } from '../../measure/usual-answers.ts';
import { BESIDE, DESCRIBED } from '../../tasks/described.ts';
import type { BesideSchemas, DescribedSchemas } from '../../tasks/described.ts';
import { answerForms, FILE_OUTPUTS } from '../../recipe/answer-forms.ts';
import { METHODS, modelSchema, PRECISIONS } from '../artifact.ts';
import { latencySchema } from './latency.ts';
import { amount, scoreValue, split, whole } from './parts.ts';

/** Schemas of figures, by the names of their parts of report.json. */
type Parts = Readonly<Record<string, z.ZodObject>>;

/** Figures that answers of one form alone have in report.json. The form also declares their types, by declaration merging. */
export interface FigureSchemas {
  readonly described: Parts;
  /** Figures beside the teacher. */
  readonly beside?: Parts;
}

export const FIGURE_SCHEMAS = new Slot<FigureSchemas>(answerForms, 'figureSchemas', 'figures in report.json');
// Reports are parsed without waiting, so this module waits for the schemas of all forms.
await FIGURE_SCHEMAS.loadAll();

const figureSchemas = () => FIGURE_SCHEMAS.names().map((form) => FIGURE_SCHEMAS.of(form));

const repeatsSchema = z
  .strictObject({
    scores: z.array(scoreValue).min(2).readonly(),
    mean: scoreValue,
    interval: z.tuple([scoreValue, scoreValue]).readonly().describe('95 % confidence interval of the mean.'),
  })
  .describe(
    'Scores of the model trained with several seeds, on the test split or on the validation split where there is none; ' +
      'all other figures of the row are those of the first.',
  );

type OfSplit<S extends { readonly [K in keyof S]: z.ZodObject }> = {
  [K in keyof S]: z.ZodExactOptional<z.ZodObject<{ split: typeof split } & S[K]['shape'], z.core.$strict>>;
};

/** Parts of a task's description of a model's answers, each with the split of the samples. */
function ofSplit<S extends { readonly [K in keyof S]: z.ZodObject }>(...of: readonly Parts[]): OfSplit<S> {
  const all = of
    .flatMap((parts) => Object.entries(parts))
    .map(([name, part]) => {
      const own = z.strictObject({ split, ...part.shape }).exactOptional();
      return [name, part.description === undefined ? own : own.describe(part.description)];
    });
  return Object.fromEntries(all) as OfSplit<S>;
}

/** Row of a model. Forms of answers add their figures, before a report is written or read. */
export const modelRowSchema = z.lazy(() =>
  z.strictObject({
    id: z.string().describe('teacher, scratch, distilled, then one per later step.'),
    model: modelSchema,
    stage: z.string().describe('The stage that made its weights.'),
    format: z.string(),
    precision: z.enum(PRECISIONS),
    method: z
      .enum(METHODS)
      .exactOptional()
      .describe('How it came to fewer bits: after its training, or in one of its own; absent of fp32.'),
    number: z
      .int()
      .min(2)
      .exactOptional()
      .describe('Which of several quantize steps with this precision and method; absent of the first.'),
    params: whole,
    macs: whole.nullable(),
    sizeBytes: whole,
    gzipBytes: whole.exactOptional().describe('The file zipped: where many weights are zero, that is much less.'),
    file: z.string().nullable().describe('Relative to the folder of the run.'),
    score: z
      .strictObject({ validation: scoreValue.nullable(), test: scoreValue.nullable() })
      .describe("The score of the task, as the report's `score` names it."),
    repeats: repeatsSchema.exactOptional(),
    seconds: amount.describe('Of training.'),
    latency: z.array(latencySchema).readonly(),
    answerFile: z
      .strictObject({
        outputs: z.enum(FILE_OUTPUTS),
        file: z.string().describe('Relative to the folder of the run.'),
        sizeBytes: whole,
        samples: whole,
        agreement: z
          .number()
          .min(0)
          .max(1)
          .describe(
            'Share of the classes, of pixels or samples, or of the labels or boxes of these samples that the logits of the row decide alike.',
          ),
        latency: z.array(latencySchema).readonly(),
      })
      .exactOptional()
      .describe('The file of the same model that the key `outputs` of the recipe asks for.'),
    stream: z
      .strictObject({
        file: z.string().describe('Relative to the folder of the run.'),
        sizeBytes: whole,
        hop: whole.describe('Frames that it takes at a time.'),
        window: whole.describe('Frames of a window.'),
        kept: whole.describe('Numbers that it keeps from a hop to the next one.'),
        macs: whole.describe('Of a hop.'),
        samples: whole.describe('Windows that were fed hop by hop.'),
        largestError: amount.describe("Of its answers, beside the float file's answers to these windows."),
        sqnrDb: z
          .number()
          .exactOptional()
          .describe('The same as signal to noise; absent where there is no difference.'),
        agreement: z
          .number()
          .min(0)
          .max(1)
          .exactOptional()
          .describe('Share of these windows with the same class; absent of tasks without classes.'),
        latency: z.array(latencySchema).readonly().describe('Of a hop.'),
      })
      .exactOptional()
      .describe('The stream of the same model that the key `export` of the recipe asks for.'),
    ...ofSplit<DescribedSchemas>(DESCRIBED, ...figureSchemas().map(({ described }) => described)),
    ...ofSplit<BesideSchemas>(BESIDE, ...figureSchemas().map(({ beside = {} }) => beside)),
    distance: amount
      .exactOptional()
      .describe("Of predicted numbers and of the logits of several labels: RMSE against the teacher's answers."),
    usual: usualSchema
      .exactOptional()
      .describe('How its answers are spread, for servers that watch theirs. ONNX files alone.'),
  }),
);
