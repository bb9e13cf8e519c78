import { percent } from '../../base/numbers.ts';
import { answerFigures } from '../answer-figures.ts';
import { ANSWER_FILE_HEAD, answerFileRows } from '../tables/answer-files.ts';
import { STREAMS_HEAD, streamRows } from '../tables/streams.ts';
import { fileSize, milliseconds, number, seconds, size } from '../format.ts';
import { CLASS_FIGURES_HEAD, classFigureCells } from '../tables/class-figures.ts';
import { channelTable } from '../tables/channels.ts';
import { raceRows } from '../tables/race.ts';
import { frontOf } from '../tables/search.ts';
import { scoreOf } from '../score.ts';
import { answersText, notesOf, sameClass, summarySentences } from '../summary.ts';
import { markdownTexts } from './markdown-texts.ts';
import type { ModelRow, Report } from '../types.ts';

/** The report for people who read it in an editor or on a code host. */
export function reportMarkdown(given: Report): string {
  const report = markdownTexts(given);
  const { name, seed, dataset, machine, teacher, verdict, parity, remeasured = [] } = report;
  const { train, validation, test } = dataset.samples;
  const parts = [
    `# ${name}`,
    summarySentences(report).join(' '),
    verdict === undefined ? '' : `**${verdict.result}**: distilled against scratch ${verdict.sentence}.`,
    verdict?.pair === undefined ? '' : `These two models: ${verdict.pair.sentence}.`,
    ...repeatLines(report),
    modelsMarkdown(report),
    latencyTable(report.models),
    qualityTable(report.models),
    ...partsTables(report.models),
    answerFilesTable(report.models),
    streamsTable(report.models),
    searchTable(report),
    channelsTable(report),
    raceTable(report),
    [
      dataset.classes === 0
        ? `Data: ${dataset.type}, not read.`
        : `Data: ${dataset.type}, ${answersText(dataset)}, samples of ${dataset.sampleShape.join('×')}; ` +
          `${number(train)} train${dataset.labelled === undefined ? '' : ` (${number(dataset.labelled)} with a label)`}, ${number(validation)} validation, ${number(test)} test. ` +
          'Models are chosen on the validation split; the test split is used once, at the end.',
      ...(teacher === undefined
        ? []
        : [
            teacher.store === 'none'
              ? `Teacher: the stored logits ${teacher.source}.`
              : teacher.store === 'live'
                ? `Teacher: ${teacher.source}, asked at every step${teacher.seconds > 0 ? `, which took ${seconds(teacher.seconds)}` : ''}.`
                : `Teacher: ${teacher.source}; its answers (${teacher.store}, ${teacher.views} ${teacher.views === 1 ? 'view' : 'views'}, ` +
                  `${size(teacher.bytes)}) took ${seconds(teacher.seconds)}, storing them saved ${seconds(teacher.savedSeconds)}.`,
          ]),
      ...parity.map(({ file, samples, top1Agreement, largestError }) =>
        top1Agreement === undefined
          ? `Parity of ${file}: on ${number(samples)} samples beside the training graph, largest difference of an answer ${largestError.toExponential(1)}.`
          : `Parity of ${file}: same class as the training graph on ${percent(top1Agreement)} of ${number(samples)} samples, ` +
            `largest difference of a logit ${largestError.toExponential(1)}.`,
      ),
      ...parity.flatMap(({ file, cosine }) =>
        cosine === undefined
          ? []
          : [`Parity of ${file}: cosine ${cosine.mean.toFixed(5)} in the mean, ${cosine.least.toFixed(5)} at least.`],
      ),
      ...parity.flatMap(({ file, outputs = [] }) =>
        outputs.map(
          ({ name, largestError, sqnrDb }) =>
            `Parity of ${file}, output ${name}: largest difference ${largestError.toExponential(1)}${sqnrDb === undefined ? '' : `, ${sqnrDb.toFixed(1)} dB`}.`,
        ),
      ),
      `Machine: ${machine.cpu}, ${machine.cores} cores, ${machine.platform}, Node ${machine.node}, ${machine.engine} on ${machine.device}. ` +
        `Seed ${seed}, ${seconds(report.wallSeconds)} in all.`,
      ...remeasured.map(
        ({ measuredAt, versions, loadAverage }) =>
          `Latency measured again at ${measuredAt} with ${Object.entries(versions)
            .map((entry) => entry.join(' '))
            .join(', ')}${loadAverage === null ? '' : `, load average ${loadAverage.toFixed(2)}`}.`,
      ),
      ...notesOf(report).map((note) => `Note: ${note}.`),
    ]
      .map((line) => `- ${line}`)
      .join('\n'),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

/** Rows are of the first of several models; this is what all of them have. */
function repeatLines(report: Report): string[] {
  const score = scoreOf(report);
  return report.models.flatMap(({ id, repeats }) => {
    if (repeats === undefined) return [];
    const { mean, interval, scores } = repeats;
    return [
      `${id} over ${scores.length} seeds: mean ${score.text(mean)}, 95 % interval ${interval.map(score.text).join(' to ')}.`,
    ];
  });
}

/** The models of a report with their sizes and scores. */
export function modelsMarkdown(report: Report): string {
  const score = scoreOf(report);
  const { heading } = score;
  const head = [
    'model',
    'precision',
    'parameters',
    'MACs',
    'size',
    `validation${heading}`,
    `test${heading}`,
    'training',
  ];
  const rows = report.models.map((row) => [
    row.id,
    row.precision,
    number(row.params),
    row.macs === null ? '' : number(row.macs),
    fileSize(row.sizeBytes),
    row.score.validation === null ? '' : score.text(row.score.validation),
    row.score.test === null ? '' : score.text(row.score.test),
    row.seconds === 0 ? '' : seconds(row.seconds),
  ]);
  return tableOf(head, rows, 2);
}

/** The losses that raced, the chosen one in bold. */
function raceTable(report: Report): string {
  const { race } = report;
  if (race === undefined) return '';
  const { head, rows } = raceRows(race, scoreOf(report));
  const body = rows.map(({ cells: [loss, ...rest], isPick }) => [isPick ? `**${loss!}**` : loss!, ...rest]);
  return `Race of losses, by the validation split:\n\n${tableOf(head, body, 1)}`;
}

/** The Pareto set of a search, the best score first; all points are in report.json. */
function searchTable(report: Report): string {
  const { search } = report;
  if (search === undefined) return '';
  const score = scoreOf(report);
  const rows = frontOf(search, score).map((point) => [
    point.id === search.pick ? `**${point.id}**` : point.id,
    score.text(point.validation),
    milliseconds(point.p95Ms),
    size(point.sizeBytes),
    number(point.params),
    point.withinBudget ? 'yes' : 'no',
  ]);
  const head = ['Pareto set', `validation${score.heading}`, '95 %', 'size', 'parameters', 'within budget'];
  return `Search: ${search.sentence}.\n\n${tableOf(head, rows, 1)}`;
}

/** Channels of each layer after each step that removed some, and the layers that keep all of theirs. */
function channelsTable({ channels = [] }: Report): string {
  if (channels.length === 0) return '';
  const { models, rows, left } = channelTable(channels);
  const head = ['channels of', 'before', ...models];
  const lines = rows.map(({ layers, counts }) => [layers.join(', '), ...counts.map(number)]);
  const stay = left.map(({ what, why }) => `- ${what} keeps all channels: ${why}.`);
  return [tableOf(head, lines, 1), stay.join('\n')].filter(Boolean).join('\n\n');
}

function latencyTable(models: readonly ModelRow[]): string {
  const rows = models.flatMap(({ id, latency }) =>
    latency.map((row) => [
      id,
      `${row.runtime} on ${row.device}`,
      String(row.batchSize),
      String(row.threads),
      milliseconds(row.p50Ms),
      row.intervalMs ? row.intervalMs.map(milliseconds).join(' to ') : '',
      milliseconds(row.p95Ms),
      number(row.throughputPerSecond),
      row.memoryBytes === undefined || row.memoryBytes === null ? '' : size(row.memoryBytes),
    ]),
  );
  if (rows.length === 0) return '';
  const head = ['model', 'runtime', 'batch', 'threads', 'median', '95 % interval', '95 %', 'samples/s', 'peak memory'];
  return tableOf(head, rows, 2);
}

/** Agreement with the teacher, and whether a model is as often right as it is sure. */
function qualityTable(models: readonly ModelRow[]): string {
  const rows = models.flatMap(({ id, agreement, calibration, classFigures }) =>
    calibration === undefined
      ? []
      : [
          [
            id,
            ...classFigureCells(classFigures),
            percent(calibration.ece),
            percent(calibration.confidence),
            agreement === undefined ? '' : percent(sameClass(agreement)),
          ],
        ],
  );
  if (rows.length === 0) return '';
  const head = ['model', ...CLASS_FIGURES_HEAD, 'calibration error', 'mean confidence', 'same class as the teacher'];
  return tableOf(head, rows, 1);
}

/** Tables of figures that answers of one form alone have, part by part. */
function partsTables(models: readonly ModelRow[]): string[] {
  return answerFigures.all().map(({ parts }) => {
    const rated = models.filter((model) => parts.rows(model) !== undefined);
    const rows = rated.flatMap((model) => parts.rows(model)!.map((cells) => [model.id, ...cells]));
    return rows.length === 0 ? '' : tableOf(['model', ...parts.head(rated[0]!)], rows, 2);
  });
}

/** Table of the files that answer with classes or probabilities. */
function answerFilesTable(models: readonly ModelRow[]): string {
  const rows = answerFileRows(models);
  return rows.length === 0 ? '' : tableOf(ANSWER_FILE_HEAD, rows, 2);
}

/** Table of the streams. */
function streamsTable(models: readonly ModelRow[]): string {
  const rows = streamRows(models);
  return rows.length === 0 ? '' : tableOf(STREAMS_HEAD, rows, 2);
}

/** Lines of a table, whose first `words` columns hold words and the others numbers. */
function tableOf(head: readonly string[], rows: readonly (readonly string[])[], words: number): string {
  return [head, head.map((_, i) => (i < words ? '---' : '---:')), ...rows]
    .map((cells) => `| ${cells.map(cellText).join(' | ')} |`)
    .join('\n');
}

/** Bars and angle brackets in names of classes and columns are text, not cells and tags. */
function cellText(cell: string): string {
  return cell.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}
