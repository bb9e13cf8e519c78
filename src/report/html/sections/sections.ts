import { stringify } from 'yaml';
import { percent } from '../../../base/numbers.ts';
import { milliseconds, number, seconds, short, size } from '../../format.ts';
import { capital } from '../../format.ts';
import { axisText, scoreOf } from '../../score.ts';
import { notesOf, slowerInFewerBits } from '../../summary.ts';
import { answersText } from '../../summary.ts';
import type { Score } from '../../../tasks/score.ts';
import type { Environment, Report, StageSummary } from '../../types.ts';
import { markup } from '../markup.ts';
import type { Content, Markup } from '../markup.ts';
import { lineChart } from '../charts/lines.ts';
import type { ChartLine } from '../charts/lines.ts';
import { latencyTable, list, seriesOf, table, textCells, wholeTable } from '../tables.ts';

export function curvesSection(report: Report): Content {
  const { training = [], models } = report;
  const score = scoreOf(report);
  const runs = training.filter(({ epochs }) => epochs.length > 0);
  if (runs.length === 0) return '';
  const lines = runs.map((run, i) => {
    const place = models.findIndex(({ stage }) => stage === run.stage);
    const kind = place < 0 ? models.length + i : place;
    const name = place < 0 ? run.stage : models[place]!.id;
    const of = (value: 'loss' | 'score' | 'validation') =>
      run.epochs.flatMap((e): [number, number][] => (e[value] === undefined ? [] : [[e.epoch, e[value]]]));
    return { name, kind, marked: run.bestEpoch, of };
  });
  const shared = { x: 'epoch' } as const;
  const loss = lineChart(
    lines.map(({ of, ...line }): ChartLine => ({ ...line, points: of('loss') })),
    {
      ...shared,
      title: 'Training loss',
      y: 'loss',
      yText: (value) => String(Number(value.toPrecision(3))),
      logAbove: 30,
      bounds: [0, Infinity],
    },
  );
  const scores = lineChart(
    lines.flatMap(({ of, ...line }): ChartLine[] => [
      { ...line, points: of('score'), isFaint: true },
      { ...line, points: of('validation') },
    ]),
    {
      ...shared,
      title: `${capital(score.name)} on the validation split`,
      y: score.name,
      yText: axisText(score),
      bounds: score.bounds,
      ...(score.better === 'lower' && { logAbove: 30 }),
    },
  );
  return markup`<section id="curves"><h2>Training</h2><p>The mark is the epoch whose weights were kept: the best on the validation split.
      Thin lines are ${score.name} on the training batches as they came, with augmentation and dropout. Losses of different kinds cannot be compared.</p>
      <div class="pair">${loss}${scores}</div></section>`;
}

export function latencySection(report: Report): Content {
  const { models, measurement } = report;
  if (!models.some(({ latency }) => latency.length > 0)) return '';
  const count = models.reduce((sum, { latency }) => sum + latency.length, 0);
  const shared = { x: 'batch size', logX: true, logAbove: 10, dots: true, bounds: [0, Infinity] } as const;
  const perSecond = seriesOf(report, (row) => row.throughputPerSecond);
  const perBatch = seriesOf(report, (row) => row.p50Ms);
  const throughput = { ...shared, title: 'Throughput by batch size', y: 'samples per second', yText: short };
  const duration = { ...shared, title: 'Time of a batch (median)', y: 'time', yText: milliseconds };
  const several = perBatch.some(({ points }) => points.length > 1);
  const charts = several
    ? markup`<div class="pair">${lineChart(perBatch, duration)}${lineChart(perSecond, throughput)}</div>`
    : '';
  const busy = measurement !== undefined && measurement.loadAverage > 0.5 * report.machine.cores;
  const facts =
    measurement === undefined
      ? ''
      : `Measured for ${seconds(measurement.seconds)} with ${Object.entries(measurement.versions)
          .map(([name, version]) => `${name} ${version}`)
          .join(', ')} on ${report.machine.cpu}` +
        `${measurement.cpuFeatures === null ? '' : ` with ${measurement.cpuFeatures.join(', ') || 'no vector extensions that matter here'}`}, ` +
        `load average ${measurement.loadAverage.toFixed(2)}${busy ? ': the machine was busy, take the figures with care' : ''}. `;
  const slower = slowerInFewerBits(report).map((sentence) => markup`<p class="caution">${sentence}</p>`);
  return markup`<section id="latency"><h2>Latency</h2><p>${facts}All models took turns, so that a slow moment hits all alike.</p>${slower}${charts}
      <details${count > 12 ? '' : ' open'}><summary>All ${count} measurements</summary>${latencyTable(report)}</details></section>`;
}

export function factsSection(report: Report): Content {
  const { teacher, parity, dataset } = report;
  const notes = notesOf(report);
  const { train, validation, test } = dataset.samples;
  const content =
    dataset.classes === 0
      ? 'not read'
      : `${answersText(dataset)}, samples of ${dataset.sampleShape.join('×')}: ` +
        `${number(train)} to train${dataset.labelled === undefined ? '' : `, ${number(dataset.labelled)} of them with a label`}, ${number(validation)} to choose models by, ${number(test)} to test once at the end`;
  const parts = [
    markup`<h2>What it rests on</h2><dl><dt>Data</dt><dd>${dataset.type}, ${content}</dd>`,
    teacher === undefined ? '' : markup`<dt>Teacher</dt><dd>${teacherText(teacher)}</dd>`,
    markup`</dl>`,
  ];
  if (parity.length > 0) {
    const byOutput = parity.flatMap(({ outputs = [], ...whole }) => [
      whole,
      ...outputs.map(({ name, largestError }) => ({
        ...whole,
        file: `${whole.file}, ${name}`,
        top1Agreement: undefined,
        largestError,
      })),
    ]);
    const rows = byOutput.map(
      ({ file, samples, top1Agreement, largestError }) =>
        markup`<tr><th scope="row">${file}</th><td>${number(samples)}</td><td>${top1Agreement === undefined ? '–' : percent(top1Agreement)}</td><td>${largestError === 0 ? '0' : largestError.toExponential(1)}</td></tr>`,
    );
    parts.push(
      markup`<h3>Exported files beside the graphs they were trained in</h3>`,
      table(
        'Parity',
        [
          'file',
          'samples',
          'same class',
          `largest difference of ${dataset.task === undefined ? 'a logit' : 'an answer'}`,
        ],
        rows,
      ),
    );
  }
  const skipped = notes.length === 0 ? markup`<p>Nothing was skipped.</p>` : list(notes);
  return markup`<section id="facts">${parts}<h3>Skipped, left out or odd</h3>${skipped}</section>`;
}

function teacherText({
  source,
  store,
  views,
  seconds: took,
  savedSeconds,
  bytes,
}: NonNullable<Report['teacher']>): string {
  if (store === 'none') return `${source}, stored logits`;
  if (store === 'live') return `${source}, asked at every step${took > 0 ? `, which took ${seconds(took)}` : ''}`;
  return (
    `${source}; its answers are stored as ${store}, ${views} ${views === 1 ? 'view' : 'views'} of each sample, ${size(bytes)}. ` +
    `Collecting them took ${seconds(took)}, asking at every step would have taken ${seconds(savedSeconds)} more`
  );
}

export function recipeSection({
  recipe,
  machine,
  seed,
  wallSeconds,
  environment,
  stages = [],
  stopped,
  dataset,
  score,
}: Report): Markup {
  const facts: readonly (readonly [string, string])[] = [
    [
      'Machine',
      `${machine.cpu}, ${machine.cores} cores, ${(machine.memoryBytes / 2 ** 30).toFixed(1)} GiB, ${machine.platform}`,
    ],
    ['Engine', `${machine.engine} on ${machine.device}`],
    ...(environment === undefined ? [] : environmentFacts(environment)),
    ['Node.js', machine.node],
    ['Seed', String(seed)],
    ['Working time', seconds(wallSeconds)],
  ];
  const text = recipe === undefined ? '' : stringify(recipe, { lineWidth: 0 });
  return markup`<section id="again"><h2>To do it again</h2><dl class="facts">${facts.map(([name, value]) => markup`<dt>${name}</dt><dd>${value}</dd>`)}</dl>
      ${stages.length === 0 ? '' : stagesTable(stages, stopped !== undefined, scoreOf({ dataset, score }))}
      ${recipe === undefined ? '' : markup`<details><summary>Recipe, with its defaults filled in</summary><pre tabindex="0">${text}</pre></details>`}</section>`;
}

function environmentFacts({ limbeck, system, packages, cpuFeatures }: Environment): [string, string][] {
  return [
    ['System', system],
    ['CPU features', cpuFeatures === null ? 'unknown' : cpuFeatures.join(', ') || 'none that matters here'],
    ['Limbeck', limbeck],
    ...Object.entries(packages),
  ];
}

/** Table of the stages. For a run that was stopped it is most of what there is to see. */
function stagesTable(stages: readonly StageSummary[], isOpen: boolean, score: Score): Content {
  const longest = Math.max(...stages.map((stage) => stage.seconds));
  const onDevice = stages.some(({ traffic }) => traffic !== undefined);
  const rows = stages.map(({ stage, seconds: took, score: own, traffic }) => {
    const width = (100 * took) / (longest || 1);
    const bar = markup`<span class="bar" aria-hidden="true"><i style="width:${width.toFixed(1)}%"></i></span>`;
    const cells = [
      markup`${seconds(took)}${bar}`,
      ...[own?.validation, own?.test].map((value) => (value === undefined ? '–' : score.text(value))),
      ...(onDevice ? [traffic === undefined ? '–' : transfers(traffic)] : []),
    ];
    return markup`<tr><th scope="row">${stage}</th>${textCells(cells)}</tr>`;
  });
  return markup`<details${isOpen ? ' open' : ''}><summary>Stages, and where the time went</summary>
      ${wholeTable('Stages', ['stage', 'time', 'validation', 'test', ...(onDevice ? ['to and from the device'] : [])], rows)}</details>`;
}

function transfers({ calls, stateMoves, stateBytes, dataBytes }: NonNullable<StageSummary['traffic']>): Content {
  const state = `state ${number(stateMoves)} times, ${size(stateBytes)}`;
  return markup`${state}<small>data ${size(dataBytes)} in ${number(calls)} calls</small>`;
}
