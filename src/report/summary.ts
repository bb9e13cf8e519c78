import { decimals } from '../base/numbers.ts';
import { isSameContent, isSameModel } from './artifact.ts';
import { compared, size, times } from './format.ts';
import { accuracyScore, gainOf } from '../tasks/score.ts';
import type { Score } from '../tasks/score.ts';
import { answerForms, namedAnswers } from '../recipe/answer-forms.ts';
import { taskRow } from '../recipe/task.ts';
import { fileScore, rowScore, scoreOf } from './score.ts';
import { taughtBy } from './taught-by.ts';
import { betterTwin } from './twin.ts';
import type { TaughtBy } from './taught-by.ts';
import type { Pair } from './types.ts';
import type { Agreement, LatencyRow, ModelRow, Report } from './types.ts';

/**
 * The model that the run is about: the last that was made. Of its files in several formats, the one that was timed as the
 * teacher was, because only that can be compared with it.
 */
export function finalModel(report: Report): ModelRow | undefined {
  const made = report.models.filter(({ model: { role } }) => role !== 'teacher' && role !== 'scratch');
  const last = made.at(-1) ?? report.models.at(-1);
  const teacher = teacherModel(report);
  if (last === undefined || teacher === undefined || last === teacher) return last;
  const twins = report.models.filter((model) => isSameContent(model, last));
  return twins.find((model) => commonLatency(model, teacher) !== undefined) ?? last;
}

/** The student after each technique, from the one trained alone; one file of each, ONNX where there is one. */
export function stepsOf({ models }: Report): ModelRow[] {
  return models.filter((model, i) => {
    if (model.model.role === 'teacher') return false;
    const isTwin = (other: ModelRow): boolean => isSameContent(other, model);
    const best = models.find((other) => isTwin(other) && other.format === 'onnx') ?? models.find(isTwin);
    return best === models[i];
  });
}

/** Files with fewer bits that are slower than the file that they were made from: they are, on many machines. */
export function slowerInFewerBits({ models }: Report): string[] {
  return models.flatMap((model) => {
    if (model.precision === 'fp32') return [];
    const before = models.find(
      (other) => other.precision === 'fp32' && other.format === model.format && isSameModel(other.model, model.model),
    );
    const pair = before && commonLatency(model, before);
    if (pair === undefined || pair[0].p50Ms <= pair[1].p50Ms) return [];
    const { text, range } = speedOf(pair);
    if (text === undefined) return [];
    return [
      `${model.id} is ${text}${range} than ${before!.id} in ${settingOf(pair[0])}: ` +
        `fewer bits make a file smaller, and faster only where the processor and the runtime have kernels for them. Measure where it will run.`,
    ];
  });
}

export function teacherModel(report: Report): ModelRow | undefined {
  return report.models.find(({ model }) => model.role === 'teacher');
}

/** Change of the score by a step. A model made from one of several seeds comes from the first of them, and is compared with that one. */
export function changeOf(row: ModelRow, before: ModelRow): number {
  const of = row.repeats === undefined ? fileScore : rowScore;
  return of(row)! - of(before)!;
}

/**
 * Latencies of two models that can be compared: the smallest batch and the fewest threads that both have in one runtime and in one
 * measurement, because at other minutes a machine gives other figures.
 */
export function commonLatency(a: ModelRow, b: ModelRow): readonly [LatencyRow, LatencyRow] | undefined {
  const pairs = a.latency.flatMap((row) => {
    const other = b.latency.find(
      (candidate) => settingOf(candidate) === settingOf(row) && candidate.measuredAt === row.measuredAt,
    );
    return other === undefined ? [] : [[row, other] as const];
  });
  return pairs.sort(([x], [y]) => x.batchSize - y.batchSize || x.threads - y.threads)[0];
}

interface SpeedBeside {
  /** `6× faster`; undefined where it is alike, or not decided. */
  readonly text: string | undefined;
  /** ` (5 to 7×)`: what the intervals of both medians leave open; empty without them. */
  readonly range: string;
  /** False if that reaches from slower to faster. */
  readonly isDecided: boolean;
}

/** SpeedBeside of the first of two latencies of one setting beside the second. */
export function speedOf([own, its]: readonly [LatencyRow, LatencyRow]): SpeedBeside {
  const text = compared(its.p50Ms / own.p50Ms, 'faster', 'slower');
  const [a, b] = [own.intervalMs ?? undefined, its.intervalMs ?? undefined];
  if (a === undefined || b === undefined || a[0] === 0) return { text, range: '', isDecided: true };
  const [low, high] = [b[0] / a[1], b[1] / a[0]];
  const isDecided = text === undefined || low >= 1 || high <= 1;
  const ends = low >= 1 ? [low, high] : high <= 1 ? [1 / high, 1 / low] : [low, high];
  const range = ` (${ends.map((end) => (end < 1 ? end.toPrecision(2) : times(end))).join(' to ')}×)`;
  return { text: isDecided ? text : undefined, range, isDecided };
}

export function settingOf({ runtime, device, batchSize, threads }: LatencyRow): string {
  return `${runtime} on ${device}, batch ${batchSize}, ${threads} thread${threads === 1 ? '' : 's'}`;
}

/** Sentence before all figures of a run without labels. */
export function scoreSentence(report: Pick<Report, 'dataset' | 'recipe' | 'score'>): string[] {
  const { labelledBy } = report.dataset;
  if (labelledBy === undefined) return [];
  if (!scoreOf(report).isShareRight)
    return [
      `No labels are known: every score is against the answers of ${labelledBy}, and says nothing of how right either is.`,
    ];
  return [
    `No labels are known: every score is agreement with ${originalOf(report)}, the share of samples that get the class that ${labelledBy} gives ` +
      'them, and says nothing of how often either is right.',
  ];
}

/** Whose answers are agreed with, where no labels are known: a teacher, or the model that was compressed. */
export function originalOf({ dataset, recipe }: Pick<Report, 'dataset' | 'recipe'>): string {
  const { labelled } = (recipe?.['dataset'] ?? {}) as { labelled?: number };
  return dataset.labelledBy === undefined || labelled === 0 ? 'the teacher' : 'the original';
}

/** The result of a run in plain words, one sentence each. */
export function summarySentences(report: Report): string[] {
  const [model, teacher] = [finalModel(report), teacherModel(report)];
  const sentences: string[] = [];
  if (report.stopped !== undefined) {
    const how = report.status === 'failed' ? 'failed' : 'was stopped';
    sentences.push(
      `The run ${how} in ${report.stopped.stage}: ${report.stopped.reason}. This is what it had until then.`,
    );
  }
  if (model === undefined) return sentences;
  const twin = betterTwin(report);
  if (twin !== undefined) sentences.push(`${twin.sentence}.`);
  if (teacher !== undefined && teacher !== model) sentences.push(...comparison(report, model, teacher));
  else {
    const own = rowScore(model);
    const right = own === null ? [] : [scoreOf(report).said(own, `the ${scoredSplit(model)} samples`)];
    const known = [...(model.sizeBytes === 0 ? [] : [size(model.sizeBytes)]), ...right];
    if (known.length > 0) sentences.push(`The ${model.id} model is ${known.join(' and ')}.`);
  }
  const { verdict } = report;
  const by = taughtBy(report);
  if (verdict !== undefined && twin === undefined)
    sentences.push(verdict.pair === undefined ? VERDICTS[verdict.result](by) : ofOneRun(verdict.pair, by));
  sentences.push(...scoreSentence(report));
  return sentences;
}

const VERDICTS = {
  BEATS: (by) => `It beats the same student trained without the ${by}, and the difference is more than chance.`,
  'NO GAIN': (by) => `It gains nothing over the same student trained without the ${by}.`,
  INCONCLUSIVE: (by) => `Whether the ${by} helped cannot be told from these runs: the difference may be chance.`,
} as const satisfies Readonly<Record<string, (by: TaughtBy) => string>>;

/** Two different questions: which of two models is better, and whether the method makes better ones. */
function ofOneRun({ p, difference }: Pair, by: TaughtBy): string {
  const seeds = `whether the ${by} helps, one run of each cannot tell`;
  if (p >= 0.05) return `Beside the same student trained without the ${by} the difference may be chance; ${seeds}.`;
  const than = difference > 0 ? 'better' : 'worse';
  return `It is ${than} than its twin trained without the ${by}, by more than the choice of samples explains; ${seeds}.`;
}

function comparison(report: Report, model: ModelRow, teacher: ModelRow): string[] {
  const parts: string[] = [];
  const smaller =
    model.sizeBytes > 0 && teacher.sizeBytes > 0
      ? compared(teacher.sizeBytes / model.sizeBytes, 'smaller', 'larger')
      : undefined;
  if (smaller !== undefined) parts.push(smaller);
  const latency = commonLatency(model, teacher);
  const speed = latency && speedOf(latency);
  if (speed?.text !== undefined) parts.push(speed.text);
  const open =
    speed === undefined || speed.isDecided
      ? []
      : [
          `Its speed beside the ${originalOf(report).replace('the ', '')} is not decided${speed.range}: the intervals of both overlap.`,
        ];
  const [own, its] = [rowScore(model), rowScore(teacher)];
  if (report.dataset.labelledBy !== undefined) {
    const samples = `the ${scoredSplit(model)} samples`;
    const score = scoreOf(report);
    const agreed =
      own === null
        ? ''
        : score.isShareRight
          ? ` and agrees with it on ${accuracyScore.text(own)} of ${samples}`
          : `, at ${score.name} ${score.text(own)} against its answers to ${samples}`;
    const than = parts.length === 0 ? `about as large as` : `${parts.join(' and ')} than`;
    return [`The ${model.id} student is ${than} ${originalOf(report)}${agreed}.`, ...open];
  }
  const than = parts.length === 0 ? '' : ' than the teacher';
  const gap = own === null || its === null ? '' : gapOf(scoreOf(report), own, its, than === '');
  const said = `${parts.join(' and ')}${than}${gap}`.trim();
  return [...(said === '' ? [] : [`The ${model.id} student is ${said}.`]), ...open];
}

function gapOf(score: Score, own: number, its: number, alone: boolean): string {
  if (!score.isShareRight) {
    const beside = `${alone ? ' ' : ', with '}${score.name} ${score.text(own)} against ${score.text(its)}`;
    return alone ? ` at${beside} of the teacher` : beside;
  }
  const difference = own - its;
  const points = Math.abs(100 * difference);
  const beside = alone ? ' than the teacher' : '';
  if (Number(decimals(points, 1)) === 0) return `${alone ? '' : ' and'} as accurate${alone ? ' as the teacher' : ''}`;
  const by = `${decimals(points, points < 10 ? 1 : 0)} points ${difference < 0 ? 'less' : 'more'} accurate`;
  return alone ? ` ${by}${beside}` : `, and ${by}`;
}

export function scoredSplit({ score }: ModelRow): 'test' | 'validation' {
  return score.test === null ? 'validation' : 'test';
}

/** Models that no other beats in both: a lower cost at no worse score, or a better score at no higher cost. */
export function paretoFront<T extends { readonly cost: number; readonly score: number }>(
  points: readonly T[],
  score: Pick<Score, 'better'> = accuracyScore,
): T[] {
  const gain = (a: T, b: T): number => gainOf(score, a.score, b.score);
  return points
    .filter(
      (point) =>
        !points.some(
          (other) =>
            other.cost <= point.cost && gain(other, point) >= 0 && (other.cost < point.cost || gain(other, point) > 0),
        ),
    )
    .sort((a, b) => a.cost - b.cost);
}

/** Oddities and omissions of the run and of measurements after it. */
export function notesOf({ notes, remeasured = [] }: Report): string[] {
  const later = remeasured.flatMap(({ measuredAt, skipped }) =>
    skipped.map(({ what, why }) => `latency of ${what} was not measured at ${measuredAt}: ${why}`),
  );
  return [...notes, ...later];
}

/** Share of the samples on which a model says what the teacher says. */
export function sameClass(agreement: Agreement): number {
  const { bothRight, onlyTeacher, onlyThis, sameError, differentErrors } = agreement;
  return (bothRight + sameError) / (bothRight + onlyTeacher + onlyThis + sameError + differentErrors);
}

/** Text on what a model answers, e.g. `10 classes`. */
export function answersText({ task, classes, classNames = [] }: Report['dataset']): string {
  const { answersText: said = namedAnswers } = answerForms.get(taskRow(task).form);
  return said(classes, classNames);
}
