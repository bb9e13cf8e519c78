import { z } from 'zod';
import { fraction } from '../../recipe/schema/parts.ts';
import { amount, scoreValue, split, whole } from './parts.ts';

/** Findings of a run besides the figures of its models. */

const pairSchema = z
  .strictObject({
    split,
    samples: whole,
    onlyDistilled: whole.describe('Samples that the distilled student alone has right.'),
    onlyScratch: whole,
    difference: z.number().describe('Of the accuracies, a fraction.'),
    interval: z.tuple([z.number(), z.number()]).readonly().describe('95 % confidence interval of the difference.'),
    p: fraction.describe("p value of McNemar's test, of which `interval` is the inversion."),
    sentence: z.string(),
  })
  .describe('The student and its twin sample by sample; of a run with one repeat.');

export const verdictSchema = z
  .strictObject({
    result: z.enum(['BEATS', 'NO GAIN', 'INCONCLUSIVE']),
    gain: z.number().describe('Mean gain in the score; of an error of which less is better, how much less it is.'),
    interval: z
      .tuple([z.number(), z.number()])
      .readonly()
      .nullable()
      .describe(
        '95 % confidence interval of the mean gain; null with one repeat, which cannot tell a gain from chance.',
      ),
    repeats: whole,
    gains: z.array(z.number()).readonly(),
    sentence: z.string(),
    pair: pairSchema.exactOptional(),
  })
  .describe('Is the distilled student better than its twin trained without the teacher? Seed by seed.');

export const paritySchema = z.strictObject({
  file: z.string(),
  samples: whole,
  largestError: amount,
  top1Agreement: fraction
    .exactOptional()
    .describe('Share of samples on which file and training graph agree about the class; absent of tasks without.'),
  sqnrDb: z
    .number()
    .exactOptional()
    .describe('Power of the logits over that of the difference, in dB; absent where there is no difference.'),
  cosine: z
    .strictObject({ mean: z.number().max(1), least: z.number().max(1) })
    .exactOptional()
    .describe('Cosine of the vectors of file and training graph, mean and least over the samples; of vectors alone.'),
  outputs: z
    .array(z.strictObject({ name: z.string(), largestError: amount, sqnrDb: z.number().exactOptional() }))
    .readonly()
    .exactOptional()
    .describe('Each output by itself, of files with several.'),
});

export const pruningSensitivitySchema = z
  .strictObject({
    model: z.string().describe('The model that was pruned.'),
    score: scoreValue.describe('Of the model as it is.'),
    rows: z
      .array(
        z.strictObject({
          layers: z.array(z.string()).readonly().describe('Layers that make the same channels count as one.'),
          channels: whole,
          kept: whole,
          score: scoreValue,
          drop: z.number().describe('How much worse than the model as it is.'),
        }),
      )
      .readonly(),
  })
  .describe('Score on the validation split after one layer alone lost channels, without training.');

export const channelsSchema = z
  .array(
    z.strictObject({
      model: z.string().describe('The model that has fewer channels.'),
      rows: z
        .array(
          z.strictObject({
            layers: z.array(z.string()).readonly().describe('Layers that make the same channels lose them together.'),
            before: whole.describe('In the model that it was made from.'),
            after: whole,
          }),
        )
        .readonly(),
      left: z
        .array(z.strictObject({ what: z.string(), why: z.string() }))
        .readonly()
        .describe('Layers whose channels all stay, and why.'),
    }),
  )
  .readonly()
  .describe('Channels of each layer, before and after each step that removes some.');

export const quantizationSensitivitySchema = z
  .strictObject({
    model: z.string().describe('The id of the float model.'),
    precision: z.string(),
    samples: whole,
    score: scoreValue.describe('Of the float model on these samples.'),
    rows: z
      .array(
        z.strictObject({
          layer: z.string(),
          noise: amount.describe('Power of the error of the logits, as a share of the power of the float logits.'),
          drop: z.number().describe('How much worse the score is; negative where the error happens to help.'),
        }),
      )
      .readonly(),
  })
  .describe('What each layer alone in fewer bits does to a model whose rest stays float.');

const pointSchema = z.strictObject({
  id: z.string().describe('Run and model, e.g. `width-0.5-pruned-0.3-round-2/pruned-1-int8`.'),
  width: amount.describe("Factor on the width of the recipe's student."),
  amount: fraction.describe('Share of multiply-accumulates that pruning removed.'),
  precision: z.string(),
  epochs: amount,
  params: whole,
  sizeBytes: whole,
  validation: scoreValue.describe('Score on the validation split.'),
  p50Ms: amount,
  p95Ms: amount,
  onFront: z.boolean().describe('No other point is at least as good in score, latency and size, and better in one.'),
  withinBudget: z.boolean(),
});

export const searchSchema = z
  .strictObject({
    target: z.strictObject({
      runtime: z.string(),
      batchSize: whole,
      threads: whole,
      p95Ms: amount.exactOptional(),
      sizeKb: amount.exactOptional(),
      maxDrop: amount
        .exactOptional()
        .describe('Percentage points of the validation score below the teacher; percent of it where it is an error.'),
    }),
    points: z.array(pointSchema).readonly().describe('Files that the search made and measured.'),
    pick: z.string().describe('Id of the point that is reported.'),
    withinBudget: z.boolean().describe('The pick, in both of its measurements.'),
    again: z
      .strictObject({ p50Ms: amount, p95Ms: amount, withinBudget: z.boolean() })
      .exactOptional()
      .describe('The pick, timed once more after it was chosen.'),
    sentence: z.string(),
  })
  .describe('What a search within a budget tried.');

export const reportedRaceSchema = z
  .strictObject({
    epochs: amount.describe('Of all trainings of the race together.'),
    candidates: z
      .array(
        z.strictObject({
          loss: z.string(),
          numbers: z.record(z.string(), z.number()).readonly().describe('Temperature and alpha, where it has them.'),
          rounds: z
            .array(z.strictObject({ epochs: amount, validation: scoreValue }))
            .readonly()
            .describe('Of each round that it was in, the score on the validation split.'),
        }),
      )
      .readonly(),
    pick: whole.describe('Position among the candidates of the one that the student was trained with.'),
  })
  .describe('What `distill.loss: auto` tried.');

const shownPoints = z
  .array(
    z.strictObject({
      point: whole.describe('Its index.'),
      name: z.string(),
      x: z.number(),
      y: z.number(),
      score: fraction.exactOptional().describe('Of a model.'),
      isHidden: z.boolean().exactOptional(),
    }),
  )
  .readonly();

const shownBoxes = z
  .array(
    z.strictObject({
      name: z.string(),
      xmin: z.number(),
      ymin: z.number(),
      xmax: z.number(),
      ymax: z.number(),
      score: z.number().min(0).max(1).exactOptional(),
    }),
  )
  .readonly()
  .describe("Sides as shares of the picture's width and height.");

const marks = z
  .array(
    z.strictObject({
      type: z.string(),
      from: whole.describe('Place of its first word.'),
      to: whole.describe('Place of its last word.'),
    }),
  )
  .readonly();

export const examplesSchema = z
  .strictObject({
    model: z.string().describe('Id of the student.'),
    split: split,
    differ: whole.describe('Samples of the split that they answer differently; of numbers all of them.'),
    samples: whole,
    rows: z
      .array(
        z.strictObject({
          sample: z.string(),
          picture: z
            .base64()
            .exactOptional()
            .describe('PNG in base64; of a sound its spectrum, time from left to right.'),
          sound: z
            .strictObject({
              wav: z.base64().describe('WAV file in base64.'),
              seconds: z.number().describe('Length of the sample, of which `wav` may be the middle.'),
            })
            .exactOptional(),
          texts: z
            .array(z.string())
            .readonly()
            .exactOptional()
            .describe('Of a text, or a pair of them: its beginning.'),
          values: z
            .array(z.strictObject({ name: z.string(), value: z.union([z.number(), z.string()]) }))
            .readonly()
            .exactOptional()
            .describe('Of a row of a table: its first columns.'),
          marked: z
            .strictObject({
              words: z.array(z.string()).readonly().describe('Words that were read.'),
              label: marks,
              teacher: marks,
              student: marks,
            })
            .exactOptional()
            .describe('Of words with a tag each: the entities of each side, in its words.'),
          masks: z
            .strictObject({
              label: z.base64().exactOptional(),
              teacher: z.base64(),
              student: z.base64(),
              int8: z.base64().exactOptional().describe('Of the last int8 file of the student.'),
            })
            .exactOptional()
            .describe('Of pixels with a class each: the masks of each side, PNG files in base64.'),
          boxes: z
            .strictObject({ label: shownBoxes.exactOptional(), teacher: shownBoxes, student: shownBoxes })
            .exactOptional()
            .describe('Of boxes with a class each: those of each side, of a model those with a score of at least 0.5.'),
          points: z
            .strictObject({
              lines: z
                .array(z.tuple([whole, whole]).readonly())
                .readonly()
                .describe('Skeleton: pairs of points.'),
              label: shownPoints.exactOptional(),
              teacher: shownPoints,
              student: shownPoints,
            })
            .exactOptional()
            .describe('Of places of points: those of each side, as shares of the picture.'),
          label: z.string().exactOptional().describe('Absent where nobody knows it.'),
          teacher: z.string(),
          student: z.string(),
        }),
      )
      .readonly()
      .describe(
        'Largest disagreement first: those of which both are surest, or whose numbers, boxes or points differ most; of masks also some of middle and of smallest.',
      ),
  })
  .describe('Samples that the last student and the teacher answer differently.');
